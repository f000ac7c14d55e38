#ifndef NNSEG_CLIENT_IO_PALETTE_H_
#define NNSEG_CLIENT_IO_PALETTE_H_

namespace nnseg {

/// A colour, components 0 to 1.
struct Colour {
  double red;
  double green;
  double blue;
};

/// The colour of a label: always the same for the same value, well apart on a grey image for the
/// first dozen values and still different for hundreds. REQUIRES: value > 0.
Colour ColourOfLabel(int value);

}  // namespace nnseg

#endif  // NNSEG_CLIENT_IO_PALETTE_H_
