// vocabulary_check: checks every string of a vocabulary before llama.cpp reads it, because
// llama.cpp ends the process on two equal tokens or on a merge that is not a pair. Any thread.
#include "core/text/vocabulary_check.h"

#include <cstring>
#include <vector>

namespace r1 {
namespace {

constexpr uint32_t length_bytes = 8;  // of the length before each text
constexpr uint32_t nobody = UINT32_MAX;

uint32_t end_of(const StringTable & table, uint32_t i) {
    return i + 1 < table.count ? table.starts[i + 1] - length_bytes : table.size;
}

struct Text {
    const uint8_t * data;
    uint32_t size;
};

// Up to the first NUL byte.
Text token_at(const StringTable & table, uint32_t i) {
    const uint8_t * data = table.bytes + table.starts[i];
    const uint32_t size = end_of(table, i) - table.starts[i];
    const void * nul = size == 0 ? nullptr : std::memchr(data, 0, size);
    return {data, nul == nullptr ? size
                                 : static_cast<uint32_t>(static_cast<const uint8_t *>(nul) - data)};
}

uint32_t hash_of(const Text & text, uint32_t seed) {
    uint32_t hash = seed;
    for (uint32_t i = 0; i < text.size; ++i) {
        hash = (hash ^ text.data[i]) * 0x01000193u;
    }
    hash ^= hash >> 15;
    hash *= 0x2c1b3c6du;
    return hash ^ (hash >> 13);
}

}  // namespace

bool is_sound(const StringTable & table) {
    for (uint32_t i = 0; i < table.count; ++i) {
        if (table.starts[i] > table.size) {
            return false;
        }
        if (i + 1 < table.count && (table.starts[i + 1] < length_bytes ||
                                    table.starts[i + 1] - length_bytes < table.starts[i])) {
            return false;
        }
    }
    return true;
}

std::optional<std::pair<uint32_t, uint32_t>> first_equal(const StringTable & table, uint32_t seed) {
    struct Slot {
        uint32_t hash;
        uint32_t index;
    };
    std::size_t capacity = 1024;
    while (capacity < std::size_t{table.count} * 2) {
        capacity *= 2;
    }
    std::vector<Slot> slots(capacity, Slot{0, nobody});
    for (uint32_t i = 0; i < table.count; ++i) {
        const Text text = token_at(table, i);
        if (text.size == 0) {
            continue;
        }
        const uint32_t hash = hash_of(text, seed);
        std::size_t slot = hash & (capacity - 1);
        for (; slots[slot].index != nobody; slot = (slot + 1) & (capacity - 1)) {
            if (slots[slot].hash != hash) {
                continue;
            }
            const Text other = token_at(table, slots[slot].index);
            if (other.size == text.size && std::memcmp(other.data, text.data, text.size) == 0) {
                return std::make_pair(slots[slot].index, i);
            }
        }
        slots[slot] = {hash, i};
    }
    return std::nullopt;
}

std::optional<uint32_t> first_no_pair(const StringTable & table) {
    for (uint32_t i = 0; i < table.count; ++i) {
        const uint8_t * begin = table.bytes + table.starts[i];
        const uint8_t * end = table.bytes + end_of(table, i);
        const std::size_t size = static_cast<std::size_t>(end - begin);
        const auto * space =
            size == 0 ? nullptr : static_cast<const uint8_t *>(std::memchr(begin, ' ', size));
        if (space == nullptr || space == begin || space + 1 == end ||
            std::memchr(space + 1, ' ', static_cast<std::size_t>(end - space - 1)) != nullptr) {
            return i;
        }
    }
    return std::nullopt;
}

}  // namespace r1
