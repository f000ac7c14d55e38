#include "client/commands/compare.h"

#include <CLI/CLI.hpp>
#include <cstdio>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "client/commands/connection_options.h"
#include "client/compare/label_comparison.h"
#include "client/io/difference_picture.h"
#include "client/io/label_reader.h"
#include "core/base/status_macros.h"

namespace nnseg {
namespace {

absl::StatusOr<LabelMap> ReadMap(const std::string& path) {
  const std::string name = absl::AsciiStrToLower(path);
  const bool picture = absl::EndsWith(name, ".png") || absl::EndsWith(name, ".bmp");
  NNSEG_ASSIGN_OR_RETURN(const ImageFormat* format,
                         FindImageFormat(picture ? "NaturalImage2DIO" : "SimpleITKIO"));
  return ReadLabels(*format, path);
}

}  // namespace

void DefineCompare(CLI::App& command, CompareArguments& arguments) {
  command.add_option("a", arguments.a, "A label file")->type_name("A")->required();
  command.add_option("b", arguments.b, "The label file to compare it with")
      ->type_name("B")
      ->required();
  command
      .add_option("--min-dice", arguments.min_dice,
                  "Exit with 7 when a label's Dice is lower than this")
      ->type_name("D")
      ->check(CLI::Range(0.0, 1.0));
  command
      .add_option("--max-differing", arguments.max_differing,
                  "Exit with 7 when more voxels than this differ")
      ->type_name("N")
      ->check(CLI::NonNegativeNumber);
  command
      .add_option("--picture", arguments.picture,
                  "Picture to write: the worst slice in A, in B, and where they differ")
      ->type_name("FILE.png");
  command.add_flag("--json", arguments.json, "Print JSON");
}

ExitCode RunCompare(const CompareArguments& arguments) {
  const absl::StatusOr<LabelMap> a = ReadMap(arguments.a);
  if (!a.ok()) return Fail(ExitCode::kFile, a.status());
  const absl::StatusOr<LabelMap> b = ReadMap(arguments.b);
  if (!b.ok()) return Fail(ExitCode::kFile, b.status());
  const absl::StatusOr<LabelComparison> comparison = CompareLabels(*a, *b);
  if (!comparison.ok()) return Fail(ExitCode::kFile, comparison.status());
  std::fputs(
      (arguments.json ? ComparisonAsJson(*comparison) : FormatComparison(*comparison)).c_str(),
      stdout);
  if (!arguments.picture.empty()) {
    const absl::Status drawn = WriteDifference(*a, *b, arguments.picture);
    if (!drawn.ok()) return Fail(ExitCode::kFile, drawn);
  }
  const bool differs =
      comparison->min_dice() < arguments.min_dice.value_or(0) ||
      comparison->differing > arguments.max_differing.value_or(comparison->differing);
  return differs ? ExitCode::kDiffers : ExitCode::kOk;
}

}  // namespace nnseg
