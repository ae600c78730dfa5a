// KvLedger: records which cache cells each sequence holds; shared cells count once. It mirrors
// llama.cpp's KV cache exactly, because llama.cpp reports no counts. Engine thread only.
#include "core/backend/kv_ledger.h"

#include <algorithm>

#include "core/failure.h"

namespace r1 {

KvLedger::KvLedger(uint32_t sequences, uint32_t capacity, uint32_t per_sequence, bool shared)
    : entries_(sequences),
      holders_(capacity, 0),
      capacity_(capacity),
      per_sequence_(per_sequence),
      shared_(shared) {
    free_.reserve(capacity);
    for (uint32_t cell = capacity; cell > 0; --cell) {
        free_.push_back(cell - 1);
    }
}

uint32_t KvLedger::take_cell() {
    if (free_.empty()) {
        throw Failure(ErrorCode::Internal,
                      "The KV ledger has no free cell where llama.cpp found one.");
    }
    const uint32_t cell = free_.back();
    free_.pop_back();
    holders_[cell] = 1;
    ++used_;
    return cell;
}

void KvLedger::append(llama_seq_id sequence, llama_token token) {
    Entry & held = entry(sequence);
    held.cells.push_back(take_cell());
    held.tokens.push_back(token);
}

void KvLedger::truncate(llama_seq_id sequence, std::size_t count) {
    Entry & held = entry(sequence);
    while (held.cells.size() > count) {
        const uint32_t cell = held.cells.back();
        held.cells.pop_back();
        if (--holders_[cell] == 0) {
            free_.push_back(cell);
            --used_;
        }
    }
    held.tokens.resize(std::min(held.tokens.size(), count));
    if (held.tokens.empty()) {
        held.session = 0;
    }
}

void KvLedger::share(llama_seq_id from, llama_seq_id to, std::size_t count) {
    const Entry & source = entry(from);
    Entry & target = entry(to);
    target.session = count > 0 ? source.session : 0;
    target.tokens.assign(source.tokens.begin(),
                         source.tokens.begin() + static_cast<std::ptrdiff_t>(count));
    for (std::size_t i = 0; i < count; ++i) {
        if (shared_) {
            ++holders_[source.cells[i]];
            target.cells.push_back(source.cells[i]);
        } else {
            target.cells.push_back(take_cell());
        }
    }
}

uint32_t KvLedger::own_cells(llama_seq_id sequence) const {
    uint32_t own = 0;
    for (const uint32_t cell : entry(sequence).cells) {
        own += holders_[cell] == 1 ? 1 : 0;
    }
    return own;
}

std::size_t common_prefix(const std::vector<llama_token> & a, const std::vector<llama_token> & b) {
    const std::size_t most = std::min(a.size(), b.size());
    return static_cast<std::size_t>(
        std::mismatch(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(most), b.begin()).first -
        a.begin());
}

}  // namespace r1
