#ifndef NNSEG_CLIENT_COMPARE_SURFACE_DISTANCE_H_
#define NNSEG_CLIENT_COMPARE_SURFACE_DISTANCE_H_

#include <vector>

#include "core/geometry/spacing.h"
#include "core/volume/volume.h"

namespace nnseg {

/// Distances between the surfaces of one label in two maps, millimetres, both ways in one list. The
/// surface of a label is its voxels with a face towards another label or the image's edge; the
/// distance of a surface voxel is that of its centre to the nearest centre of the other surface.
/// Empty unless both maps hold the label. REQUIRES: maps of one channel and equal shape.
std::vector<double> SurfaceDistances(const Volume<uint16_t>& a, const Volume<uint16_t>& b,
                                     uint16_t label, const Spacing3& spacing_mm);

/// The value below which a fraction of the values lie, interpolated linearly between neighbours as
/// numpy.percentile does. REQUIRES: not empty, fraction in [0, 1].
double Quantile(std::vector<double> values, double fraction);

}  // namespace nnseg

#endif  // NNSEG_CLIENT_COMPARE_SURFACE_DISTANCE_H_
