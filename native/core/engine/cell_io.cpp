// Calls llama.cpp's own writer and reader of a sequence's cells, but copies the values itself. The
// only file that includes its private headers llama-memory.h and llama-io.h. Only while the engine
// thread is paused.
#include "core/engine/cell_io.h"

#include <llama-io.h>
#include <llama-kv-cache.h>

#include <algorithm>
#include <cstring>
#include <exception>

namespace r1 {
namespace {

class Writing : public llama_io_write_i {
public:
    explicit Writing(CellWriter & writer) : writer_(writer) {}
    void write(const void * src, size_t size) override {
        bytes_ += size;
        writer_.meta(src, size);
    }
    void write_tensor(ggml_tensor * tensor, size_t offset, size_t size) override {
        bytes_ += size;
        writer_.values(tensor, offset, size);
    }
    size_t n_bytes() override { return bytes_; }

private:
    CellWriter & writer_;
    size_t bytes_ = 0;
};

class Reading : public llama_io_read_i {
public:
    explicit Reading(CellReader & reader) : reader_(reader) {}
    void read(void * dst, size_t size) override {
        bytes_ += size;
        reader_.meta(dst, size);
    }
    void read_tensor(ggml_tensor * tensor, size_t offset, size_t size) override {
        bytes_ += size;
        reader_.values(tensor, offset, size);
    }
    size_t n_bytes() override { return bytes_; }

private:
    CellReader & reader_;
    size_t bytes_ = 0;
};

class Recorder : public CellWriter {
public:
    void meta(const void * from, std::size_t count) override {
        const auto * first = static_cast<const uint8_t *>(from);
        bytes_.insert(bytes_.end(), first, first + count);
    }
    void values(ggml_tensor *, std::size_t, std::size_t) override {}
    const std::vector<uint8_t> & bytes() const { return bytes_; }

private:
    std::vector<uint8_t> bytes_;
};

struct Found : std::exception {};

// Provides one cell at position 0. Once the memory has placed it and asks for its values, calls the
// memory's writer, then ends the reading.
class OneCell : public CellReader {
public:
    OneCell(llama_memory_t memory, uint32_t streams) : memory_(memory), streams_(streams) {}

    void meta(void * to, std::size_t count) override {
        ++calls_;
        uint32_t value = 0;
        switch (calls_) {
            case 1: value = streams_; break;
            case 2: value = 1; break;  // cells of the first stream
            case 4: value = 1; break;  // sequences of the cell
            default: break;
        }
        if (calls_ > 5) {
            Recorder recorder;
            write_cells(memory_, 0, recorder);
            shape_ = shape_of_one_cell(recorder.bytes());
            throw Found();
        }
        std::memset(to, 0, count);
        std::memcpy(to, &value, std::min(count, sizeof value));
    }
    void values(ggml_tensor *, std::size_t, std::size_t) override { throw Found(); }
    const CellShape & shape() const { return shape_; }

private:
    llama_memory_t memory_;
    uint32_t streams_;
    int calls_ = 0;
    CellShape shape_;
};

}  // namespace

CellShape find_cell_shape(llama_memory_t memory) {
    const auto * cache = dynamic_cast<const llama_kv_cache *>(memory);
    if (cache == nullptr || cache->has_cell_ext()) {
        return {};
    }
    OneCell cell(memory, cache->get_n_stream());
    try {
        read_cells(memory, 0, cell);
    } catch (const std::exception &) {
        // Intended: the memory has removed the cell again.
    }
    llama_memory_seq_rm(memory, 0, -1, -1);
    return cell.shape();
}

void write_cells(llama_memory_t memory, llama_seq_id sequence, CellWriter & writer) {
    Writing io(writer);
    memory->state_write(io, sequence, LLAMA_STATE_SEQ_FLAGS_NONE);
}

void read_cells(llama_memory_t memory, llama_seq_id sequence, CellReader & reader) {
    Reading io(reader);
    memory->state_read(io, sequence, LLAMA_STATE_SEQ_FLAGS_NONE);
}

}  // namespace r1
