#ifndef NNSEG_CLIENT_IO_PANEL_H_
#define NNSEG_CLIENT_IO_PANEL_H_

namespace nnseg {

/// A rectangle of a picture, pixels.
struct Panel {
  double x = 0;
  double y = 0;
  double width = 0;
  double height = 0;
};

}  // namespace nnseg

#endif  // NNSEG_CLIENT_IO_PANEL_H_
