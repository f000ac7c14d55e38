# The few commands of everyday; each is a thin cover over CMake's presets and the scripts of deploy/.
.PHONY: help setup build demo test bench format image clean

help:
	@echo "make setup   install Debian packages and fetch the engines"
	@echo "make build   build server, client and tests (release) into build/release"
	@echo "make demo    segment the bundled head scan with the bundled model into out/demo"
	@echo "make test    run every check and every test"
	@echo "make bench   measure nnseg against nnU-Net on this machine (half an hour) into out/bench"
	@echo "make format  format the C++ and proto sources in place"
	@echo "make image   build the CPU container image and segment the demo volume with it"
	@echo "make clean   remove build/ and out/"

setup:
	@deploy/setup.sh

build: setup
	@deploy/build.sh release

demo:
	@deploy/demo.sh

test:
	@deploy/test.sh

bench:
	@deploy/bench.sh

format:
	@deploy/format.sh

image:
	@deploy/build_image.sh

clean:
	rm -rf build out
