// Saved cells of one sequence in a form that fits every layout of the cache, whatever the number of
// sequences, and their check. Pure; any thread.
#include "core/saved_cells.h"

#include <cstring>

namespace r1 {
namespace {

constexpr std::size_t word = sizeof(uint32_t);
constexpr std::size_t streams_at = 2 * word;  // after magic and sequence
constexpr std::size_t counts_at = 3 * word;

uint32_t read_word(const std::vector<uint8_t> & bytes, std::size_t at) {
    uint32_t value = 0;
    std::memcpy(&value, bytes.data() + at, word);
    return value;
}

void write_word(std::vector<uint8_t> & bytes, std::size_t at, uint32_t value) {
    std::memcpy(bytes.data() + at, &value, word);
}

}  // namespace

std::vector<uint8_t> to_portable_cells(std::vector<uint8_t> state) {
    if (state.size() < counts_at + word) {
        return {};
    }
    const std::size_t streams = read_word(state, streams_at);
    std::size_t before = 0;
    while (before < streams && counts_at + (before + 1) * word <= state.size() &&
           read_word(state, counts_at + before * word) == 0) {
        ++before;
    }
    if (before >= streams || state.size() < counts_at + streams * word) {
        return {};  // no stream holds a cell
    }
    const std::size_t after = streams - 1 - before;
    for (std::size_t i = 1; i <= after; ++i) {
        if (read_word(state, state.size() - i * word) != 0) {
            return {};
        }
    }
    state.resize(state.size() - after * word);
    const auto first = state.begin() + static_cast<std::ptrdiff_t>(counts_at);
    state.erase(first, first + static_cast<std::ptrdiff_t>(before * word));
    write_word(state, streams_at, 1);
    return state;
}

std::vector<uint8_t> from_portable_cells(std::vector<uint8_t> state, std::size_t tokens,
                                         uint32_t streams) {
    if (state.size() < counts_at + word || read_word(state, streams_at) != 1 ||
        read_word(state, counts_at) != tokens) {
        return {};
    }
    write_word(state, streams_at, streams);
    state.resize(state.size() + (streams - 1) * word, 0);
    return state;
}

}  // namespace r1
