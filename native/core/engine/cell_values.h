// Checks the values of saved KV cells, so that none of them can corrupt the results of other
// sequences. Pure; any thread.
#pragma once

#include <ggml.h>

#include <cstddef>
#include <cstdint>

namespace r1 {

/**
 * Whether attention can compute with all values: no NaN, no infinity, no value or scale beyond the
 * range of an f16 (65504). A masked cell still takes part in the sums of other sequences, as
 * -infinity plus its score: a score that overflows would turn theirs into NaN.
 *
 * @param type One of the cache's types; others are refused.
 * @param bytes Whole blocks of the type.
 */
bool cell_values_are_sound(ggml_type type, const uint8_t * bytes, std::size_t count);

/** Whether the values of this type can be checked: the types a cache can have. */
bool can_check_cells(ggml_type type);

}  // namespace r1
