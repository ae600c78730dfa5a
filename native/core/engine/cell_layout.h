// The layout of saved KV cells in llama.cpp's sequence state, checked before a context sees it.
// Pure; any thread.
//
//   u32 magic | i32 sequence | u32 streams, 1 | u32 cells |
//   for each cell: i32 position, u32 sequences, 1, i32 sequence |
//   u32 V is transposed | u32 layers |
//   for each layer: i32 type of K, u64 bytes of a row, the rows |
//   for each layer, unless V is a part of K (multi-head latent attention):
//     i32 type of V, u64 bytes of a row, the rows; or, transposed: i32 type, u32 bytes of a value,
//     u32 values of a row, the values
//
// This is what llama-kv-cache.cpp (state_write) writes for one sequence of a cache in one pool;
// session_test.cpp notices when it changes.
#pragma once

#include <ggml.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace r1 {

/** Bytes of K or V that follow each other. */
struct CellRun {
    std::size_t meta_before;  // how many of the other bytes precede it
    ggml_type type;
    uint64_t bytes;
};

/** All but the values themselves. */
struct CellLayout {
    std::vector<uint8_t> meta;  // everything between the runs, joined
    std::vector<CellRun> runs;
    uint64_t bytes() const;
};

/** Bytes that each cell has in one run. */
struct CellRow {
    ggml_type type;
    uint64_t bytes;
    bool operator==(const CellRow & other) const {
        return type == other.type && bytes == other.bytes;
    }
};

/** The shape of a context's cells; no rows: they cannot be saved. */
struct CellShape {
    bool is_transposed = false;
    uint32_t layers = 0;
    std::vector<CellRow> rows;  // K of each layer, then V of each

    /** Bytes of this many saved cells, without the four numbers before them. */
    uint64_t body_bytes(uint64_t cells) const;
};

/** The source that a state is read from while its layout is checked. */
class CellBytes {
public:
    virtual ~CellBytes() = default;
    /** Reads bytes that are not values. False: too few are left. */
    virtual bool take(void * to, std::size_t count) = 0;
    /** Reads a run of values and checks them. False: too few are left, or they are invalid. */
    virtual bool pass(ggml_type type, uint64_t count) = 0;
    virtual uint64_t left() const = 0;
};

/**
 * Reads a state to its end and checks all that can be checked without a context. Nothing is
 * allocated for a number before the bytes that it stands for are known to be there.
 *
 * @param cells How many tokens they are to hold.
 * @return nullptr, or what is wrong with it: a static text that completes "its cells ...".
 */
const char * read_cell_layout(CellBytes & bytes, uint64_t cells, const CellShape & shape,
                              CellLayout & layout);

/**
 * The shape of a context, derived from what it wrote for one cell. `meta` is everything except
 * values, without llama_context's head. No rows: it has another form.
 */
CellShape shape_of_one_cell(const std::vector<uint8_t> & meta);

/** The magic that llama.cpp begins a sequence's state with. */
constexpr uint32_t cell_magic = 0xaf143cd8;
/** Magic and sequence, which llama_context writes before the memory's part. */
constexpr std::size_t cell_head_bytes = 8;
/** These, the number of streams and the number of cells. */
constexpr std::size_t cell_front_bytes = 16;

}  // namespace r1
