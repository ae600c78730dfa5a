// The layout of saved KV cells, checked before a context sees them. Pure; any thread.
#include "core/engine/cell_layout.h"

#include <cstring>

#include "core/engine/cell_values.h"

namespace r1 {
namespace {

constexpr std::size_t cell_bytes = 12;
// No model has more; a row of one layer stays below 2^32 bytes.
constexpr uint32_t max_layers = 4096;
constexpr uint64_t max_row_bytes = uint64_t{1} << 32;

// Collects the bytes read besides values.
class Reader {
public:
    Reader(CellBytes & bytes, CellLayout & layout) : bytes_(bytes), layout_(layout) {}

    template <typename Number>
    bool number(Number & value) {
        if (!bytes_.take(&value, sizeof value)) {
            return false;
        }
        append(&value, sizeof value);
        return true;
    }

    /** Positions of `cells` cells: each of 0 .. cells - 1 once, in any order. */
    bool positions(uint64_t cells) {
        std::vector<bool> seen(cells, false);
        for (uint64_t i = 0; i < cells; ++i) {
            int32_t position = 0;
            uint32_t sequences = 0;
            int32_t sequence = 0;
            if (!number(position) || !number(sequences) || !number(sequence)) {
                return false;
            }
            const bool fits = position >= 0 && static_cast<uint64_t>(position) < cells;
            if (!fits || sequences != 1 || seen[static_cast<std::size_t>(position)]) {
                return false;
            }
            seen[static_cast<std::size_t>(position)] = true;
        }
        return true;
    }

    bool run(ggml_type type, uint64_t bytes) {
        layout_.runs.push_back({layout_.meta.size(), type, bytes});
        return bytes_.pass(type, bytes);
    }

    uint64_t left() const { return bytes_.left(); }

private:
    void append(const void * from, std::size_t count) {
        const auto * first = static_cast<const uint8_t *>(from);
        layout_.meta.insert(layout_.meta.end(), first, first + count);
    }

    CellBytes & bytes_;
    CellLayout & layout_;
};

// One layer's rows of K, or of V as it lies with flash attention.
bool read_rows(Reader & reader, const CellRow & row, uint64_t cells) {
    int32_t type = 0;
    uint64_t bytes = 0;
    return reader.number(type) && reader.number(bytes) && type == static_cast<int32_t>(row.type) &&
           bytes == row.bytes && reader.run(row.type, row.bytes * cells);
}

bool read_transposed(Reader & reader, const CellRow & row, uint64_t cells) {
    int32_t type = 0;
    uint32_t value = 0;
    uint32_t values = 0;
    return reader.number(type) && reader.number(value) && reader.number(values) &&
           type == static_cast<int32_t>(row.type) && value == ggml_type_size(row.type) &&
           uint64_t{value} * values == row.bytes && reader.run(row.type, row.bytes * cells);
}

// Takes numbers off the front of bytes.
class Front {
public:
    explicit Front(const std::vector<uint8_t> & bytes) : bytes_(bytes) {}
    template <typename Number>
    Number next() {
        Number value{};
        if (bytes_.size() - at_ < sizeof value) {
            is_short_ = true;
            return value;
        }
        std::memcpy(&value, bytes_.data() + at_, sizeof value);
        at_ += sizeof value;
        return value;
    }
    bool is_at_end() const { return !is_short_ && at_ == bytes_.size(); }
    bool is_short() const { return is_short_; }

private:
    const std::vector<uint8_t> & bytes_;
    std::size_t at_ = 0;
    bool is_short_ = false;
};

}  // namespace

uint64_t CellLayout::bytes() const {
    uint64_t sum = meta.size();
    for (const CellRun & run : runs) {
        sum += run.bytes;
    }
    return sum;
}

uint64_t CellShape::body_bytes(uint64_t cells) const {
    uint64_t sum = cell_bytes * cells + 2 * sizeof(uint32_t);
    for (const CellRow & row : rows) {
        sum += sizeof(int32_t) + sizeof(uint64_t) + row.bytes * cells;
    }
    return sum;
}

CellShape shape_of_one_cell(const std::vector<uint8_t> & meta) {
    Front front(meta);
    CellShape shape;
    const auto streams = front.next<uint32_t>();
    const auto cells = front.next<uint32_t>();  // the first stream's: the cell is sequence 0's
    front.next<int32_t>();
    const auto sequences = front.next<uint32_t>();
    front.next<int32_t>();
    const auto transposed = front.next<uint32_t>();
    shape.layers = front.next<uint32_t>();
    shape.is_transposed = transposed == 1;
    if (front.is_short() || streams == 0 || cells != 1 || sequences != 1 || transposed > 1 ||
        shape.layers == 0 || shape.layers > max_layers) {
        return {};
    }
    const std::size_t k_bytes = shape.layers * (sizeof(int32_t) + sizeof(uint64_t));
    const std::size_t rest = meta.size() - (7 * sizeof(uint32_t));
    const std::size_t other_streams = (streams - 1) * sizeof(uint32_t);
    const bool has_v = rest == 2 * k_bytes + other_streams;  // both forms of V have as many bytes
    if (!has_v && rest != k_bytes + other_streams) {
        return {};
    }
    for (uint32_t i = 0; i < (has_v ? 2 : 1) * shape.layers; ++i) {
        const auto type = front.next<int32_t>();
        const bool is_values = i >= shape.layers && shape.is_transposed;
        const uint64_t size = is_values ? uint64_t{front.next<uint32_t>()} : 1;
        const uint64_t count =
            is_values ? uint64_t{front.next<uint32_t>()} : front.next<uint64_t>();
        if (type < 0 || type >= GGML_TYPE_COUNT || !can_check_cells(static_cast<ggml_type>(type)) ||
            size * count == 0 || size * count > max_row_bytes) {
            return {};
        }
        shape.rows.push_back({static_cast<ggml_type>(type), size * count});
    }
    for (uint32_t i = 1; i < streams; ++i) {
        if (front.next<uint32_t>() != 0) {
            return {};
        }
    }
    return front.is_at_end() ? shape : CellShape{};
}

const char * read_cell_layout(CellBytes & bytes, uint64_t cells, const CellShape & shape,
                              CellLayout & layout) {
    Reader reader(bytes, layout);
    uint32_t magic = 0;
    int32_t sequence = 0;
    uint32_t streams = 0;
    uint32_t count = 0;
    if (!reader.number(magic) || !reader.number(sequence) || !reader.number(streams) ||
        !reader.number(count) || magic != cell_magic || streams != 1) {
        return "do not begin as llama.cpp's do";
    }
    if (count == 0 || count != cells) {
        return "are not as many as its tokens";
    }
    if (cells > reader.left() / cell_bytes) {
        return "are more than its bytes can hold";
    }
    if (!reader.positions(cells)) {
        return "do not stand at the positions of its tokens, each once";
    }
    uint32_t transposed = 0;
    uint32_t layers = 0;
    if (!reader.number(transposed) || !reader.number(layers) ||
        transposed != (shape.is_transposed ? 1 : 0) || layers != shape.layers) {
        return "have other layers than the model";
    }
    for (std::size_t i = 0; i < shape.rows.size(); ++i) {
        const bool is_values = i >= shape.layers && shape.is_transposed;
        if (is_values ? !read_transposed(reader, shape.rows[i], cells)
                      : !read_rows(reader, shape.rows[i], cells)) {
            return "hold rows that are cut, of another type or size, or no numbers";
        }
    }
    return reader.left() == 0 ? nullptr : "are followed by bytes that belong to nothing";
}

}  // namespace r1
