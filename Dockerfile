# The server (and the client, for the health check) in a container.
#
#   docker build -t nnseg .                                CPU
#   docker build -t nnseg:cuda --build-arg DEVICE=cuda .   NVIDIA GPUs too
#   docker run --read-only --tmpfs /tmp -v DIR:/models:ro -p 8001:8001 -p 8002:8002 nnseg
#
# deploy/build_image.sh builds and tries it without a docker daemon. BASE may name any Debian 12 image, best by its digest.
ARG BASE=debian:bookworm-slim
ARG DEVICE=cpu

FROM ${BASE} AS build
ARG DEVICE
WORKDIR /src
# The engines are unpacked where they will lie at run time: the programs hold these paths.
ENV NNSEG_WHEELS_DIR=/opt/nnseg/engines
COPY deploy/setup.sh deploy/wheels.txt deploy/
RUN deploy/setup.sh --build-only $(if [ "${DEVICE}" = cuda ]; then echo --cuda; fi)
COPY . .
RUN cmake --preset release -DNNSEG_BUILD_TESTS=OFF -DNNSEG_WHEELS_DIR="${NNSEG_WHEELS_DIR}" \
        -DNNSEG_WITH_CUDA=$(if [ "${DEVICE}" = cuda ]; then echo ON; else echo OFF; fi) && \
    cmake --build --preset release --target nnseg-server nnseg nnseg-network
RUN deploy/stage_runtime.sh build/release/bin "${NNSEG_WHEELS_DIR}" /stage "${DEVICE}"

FROM ${BASE} AS runtime
COPY --from=build /stage/opt/nnseg/runtime-packages.txt /tmp/
RUN apt-get update && \
    DEBIAN_FRONTEND=noninteractive xargs -a /tmp/runtime-packages.txt apt-get install -y --no-install-recommends && \
    rm -rf /var/lib/apt/lists/* /var/cache/apt/* /tmp/runtime-packages.txt && \
    groupadd --gid 10001 nnseg && \
    useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin nnseg && \
    mkdir /models
COPY --from=build /stage/ /
# Few arenas: with one for each thread, glibc keeps hundreds of MiB of freed volumes.
ENV MALLOC_ARENA_MAX=2 PATH=/opt/nnseg/bin:/usr/bin:/bin
USER 10001:10001
EXPOSE 8001 8002
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=120s --retries=3 \
    CMD ["nnseg", "health", "--server", "127.0.0.1:8001"]
ENTRYPOINT ["nnseg-server"]
CMD ["--model-repository", "/models", "--listen", "0.0.0.0:8001", "--http", "0.0.0.0:8002"]
LABEL org.opencontainers.image.title="nnseg" \
    org.opencontainers.image.description="nnU-Net v2 inference as a gRPC service; not for clinical use" \
    org.opencontainers.image.licenses="Apache-2.0"
