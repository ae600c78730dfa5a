// Checks the values of saved KV cells, so that none of them can corrupt the results of other
// sequences. Pure; any thread.
#include "core/engine/cell_values.h"

#include <cstring>

namespace r1 {
namespace {

// The largest finite f16, as bits of an f16, of an f32 and of the bf16 below it.
constexpr uint32_t largest_f16 = 0x7bff;
constexpr uint32_t largest_f32 = 0x477fe000;
constexpr uint32_t largest_bf16 = 0x477f;

template <typename Word>
bool all_at_most(const uint8_t * bytes, std::size_t count, uint32_t sign, uint32_t most) {
    uint32_t above = 0;
    for (std::size_t at = 0; at + sizeof(Word) <= count; at += sizeof(Word)) {
        Word word;
        std::memcpy(&word, bytes + at, sizeof word);
        above |=
            (word & ~sign) > most ? 1u : 0u;  // no early exit, so that the compiler vectorises it
    }
    return above == 0;
}

// Number of f16 scales at the start of a block; 0 if the type has no such blocks.
std::size_t scales_of(ggml_type type) {
    switch (type) {
        case GGML_TYPE_Q4_0:
        case GGML_TYPE_Q5_0:
        case GGML_TYPE_Q8_0:
        case GGML_TYPE_IQ4_NL: return 1;
        case GGML_TYPE_Q4_1:
        case GGML_TYPE_Q5_1: return 2;
        default: return 0;
    }
}

}  // namespace

bool can_check_cells(ggml_type type) {
    return type == GGML_TYPE_F32 || type == GGML_TYPE_F16 || type == GGML_TYPE_BF16 ||
           scales_of(type) > 0;
}

bool cell_values_are_sound(ggml_type type, const uint8_t * bytes, std::size_t count) {
    if (!can_check_cells(type) || count % ggml_type_size(type) != 0) {
        return false;
    }
    switch (type) {
        case GGML_TYPE_F32: return all_at_most<uint32_t>(bytes, count, 0x80000000, largest_f32);
        case GGML_TYPE_F16: return all_at_most<uint16_t>(bytes, count, 0x8000, largest_f16);
        case GGML_TYPE_BF16: return all_at_most<uint16_t>(bytes, count, 0x8000, largest_bf16);
        default: break;
    }
    const std::size_t block = ggml_type_size(type);
    const std::size_t scales = scales_of(type) * sizeof(uint16_t);
    for (std::size_t at = 0; at < count; at += block) {
        if (!all_at_most<uint16_t>(bytes + at, scales, 0x8000, largest_f16)) {
            return false;
        }
    }
    return true;
}

}  // namespace r1
