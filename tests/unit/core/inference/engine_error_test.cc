#include "core/inference/engine_error.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace nnseg {
namespace {

TEST(EngineError, TheFirstLineIsKept) {
  EXPECT_EQ(EngineErrorLine("not enough memory: 3 GB\nframe #0: somewhere\n"),
            "not enough memory: 3 GB");
}

TEST(EngineError, OpenvinosPlacesAreSkipped) {
  EXPECT_EQ(EngineErrorLine("Exception from src/inference/src/cpp/core.cpp:109:\n"
                            "Check 'false' failed at src/frontends/common/src/frontend.cpp:53:\n"
                            "Unable to read the model\n\n"),
            "Unable to read the model");
}

TEST(EngineError, TorchScriptsStackIsSkipped) {
  EXPECT_EQ(EngineErrorLine("The following operation failed in the TorchScript interpreter.\n"
                            "Traceback of TorchScript, serialized code (most recent call last):\n"
                            "  File \"code/__torch__/net.py\", line 10, in forward\n"
                            "    return torch.conv3d(x)\n"
                            "RuntimeError: expected 1 channels\n"),
            "expected 1 channels");
}

TEST(EngineError, PathsBecomeBaseNames) {
  EXPECT_EQ(EngineErrorLine("cannot open file /srv/models/liver/1/fold_0.pt for reading"),
            "cannot open file fold_0.pt for reading");
}

TEST(EngineError, LongTextIsCut) {
  EXPECT_EQ(EngineErrorLine(std::string(5000, 'x')), std::string(200, 'x') + "...");
}

TEST(EngineError, TextWithoutALineIsAnUnknownError) {
  for (const char* text : {"", "\n\n", "Exception from core.cpp:1:\n"}) {
    EXPECT_EQ(EngineErrorLine(text), "unknown error");
  }
}

}  // namespace
}  // namespace nnseg
