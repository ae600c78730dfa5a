// Calls llama.cpp's own writer and reader of a sequence's cells, but copies the values itself. The
// only file that includes its private headers llama-memory.h and llama-io.h. Only while the engine
// thread is paused.
#pragma once

#include <llama.h>

#include <cstddef>

#include "core/engine/cell_layout.h"

struct ggml_tensor;

namespace r1 {

/** Receives a sequence's cells in llama.cpp's order. An exception ends the writing. */
class CellWriter {
public:
    virtual ~CellWriter() = default;
    virtual void meta(const void * from, std::size_t count) = 0;
    /** Values; the receiver copies them out of the tensor. */
    virtual void values(ggml_tensor * tensor, std::size_t offset, std::size_t count) = 0;
};

/** Provides a sequence's cells in llama.cpp's order. */
class CellReader {
public:
    virtual ~CellReader() = default;
    virtual void meta(void * to, std::size_t count) = 0;
    /** Values, to be copied into the tensor. */
    virtual void values(ggml_tensor * tensor, std::size_t offset, std::size_t count) = 0;
};

/** The memory's part of `llama_state_seq_get_data`. */
void write_cells(llama_memory_t memory, llama_seq_id sequence, CellWriter & writer);

/** The memory's part of `llama_state_seq_set_data`. Throws std::runtime_error with llama.cpp's
 * words when they do not fit; the sequence is empty then. */
void read_cells(llama_memory_t memory, llama_seq_id sequence, CellReader & reader);

/**
 * The shape of this memory's cells, found by placing one in its first sequence and removing it
 * again. Only while the memory is empty. No rows: it is not a plain attention cache, so its cells
 * are not saved.
 */
CellShape find_cell_shape(llama_memory_t memory);

}  // namespace r1
