// Batcher: fills one llama_batch: the next token of every running sequence first, then prompts in chunks. Engine thread only.
#include "core/batcher.h"

#include <algorithm>

namespace r1 {
namespace {

std::size_t remaining(const Sequence & sequence, const Cache & cache) {
    return sequence.run->feed().size() - cache.length(sequence.id);
}

// One token away from choosing the next one: a running stream, not a prompt.
bool is_decoding(const Sequence & sequence, const Cache & cache) {
    return sequence.run != nullptr && sequence.run->has_generated() && remaining(sequence, cache) == 1;
}

}  // namespace

void Batcher::clear() {
    slices_.clear();
    tokens_.clear();
    positions_.clear();
    sequence_counts_.clear();
    sequence_ids_.clear();
    logits_.clear();
}

void Batcher::put(llama_token token, llama_seq_id sequence, std::size_t position, bool logits) {
    tokens_.push_back(token);
    positions_.push_back(static_cast<llama_pos>(position));
    sequence_counts_.push_back(1);
    sequence_ids_.push_back(sequence);
    logits_.push_back(logits ? 1 : 0);
}

llama_batch Batcher::view() {
    sequence_pointers_.clear();
    for (llama_seq_id & id : sequence_ids_) {
        sequence_pointers_.push_back(&id);
    }
    llama_batch batch{};
    batch.n_tokens = static_cast<int32_t>(tokens_.size());
    batch.token = tokens_.data();
    batch.pos = positions_.data();
    batch.n_seq_id = sequence_counts_.data();
    batch.seq_id = sequence_pointers_.data();
    batch.logits = logits_.data();
    return batch;
}

void Batcher::put_decode(Sequence & sequence, Cache & cache, std::size_t spare) {
    const std::size_t position = cache.length(sequence.id);
    const std::size_t room = cache.ledger().per_sequence() - position - 1;
    const std::vector<llama_token> guesses = sequence.run->draft(std::min({static_cast<std::size_t>(limits_.max_draft), room, spare}));
    slices_.push_back({&sequence, tokens_.size(), 1 + guesses.size(), guesses.size(), true});
    put(sequence.run->feed().back(), sequence.id, position, true);
    for (std::size_t i = 0; i < guesses.size(); ++i) {
        put(guesses[i], sequence.id, position + 1 + i, true);
    }
}

void Batcher::put_prefill(Sequence & sequence, Cache & cache, std::size_t budget) {
    const std::size_t position = cache.length(sequence.id);
    const std::size_t left = remaining(sequence, cache);
    const std::size_t count = std::min(left, budget);
    if (count == 0) {
        return;
    }
    slices_.push_back({&sequence, tokens_.size(), count, 0, count == left});
    for (std::size_t i = 0; i < count; ++i) {
        put(sequence.run->feed()[position + i], sequence.id, position + i, i + 1 == left);
    }
}

void Batcher::plan(Scheduler & scheduler, Cache & cache, std::vector<Event> & out) {
    clear();
    std::vector<Sequence *> decoding;
    const auto gather = [&] {
        decoding.clear();
        for (Sequence & sequence : scheduler.sequences()) {
            if (is_decoding(sequence, cache)) {
                if (cache.length(sequence.id) >= cache.ledger().per_sequence()) {
                    scheduler.finish(sequence, EndReason::Length, out);
                } else {
                    decoding.push_back(&sequence);
                }
            }
        }
    };
    gather();
    // Room for one token of each; making it may send runs back to wait.
    while (!decoding.empty() && cache.free_cells() < decoding.size()) {
        if (!scheduler.make_room(static_cast<uint32_t>(decoding.size()))) {
            scheduler.finish(*decoding.front(), EndReason::Length, out);
        }
        gather();
    }
    std::vector<Sequence *> prefilling;
    for (Sequence & sequence : scheduler.sequences()) {
        if (sequence.run != nullptr && !is_decoding(sequence, cache)) {
            prefilling.push_back(&sequence);
        }
    }
    std::sort(prefilling.begin(), prefilling.end(), [](const Sequence * a, const Sequence * b) { return a->admitted < b->admitted; });

    if (limits_.deterministic) {
        // Whoever comes next after the last turn, alone.
        std::vector<Sequence *> all = decoding;
        all.insert(all.end(), prefilling.begin(), prefilling.end());
        std::sort(all.begin(), all.end(), [](const Sequence * a, const Sequence * b) { return a->admitted < b->admitted; });
        const auto next = std::find_if(all.begin(), all.end(), [this](const Sequence * s) { return s->admitted > turn_; });
        Sequence * chosen = all.empty() ? nullptr : next == all.end() ? all.front() : *next;
        turn_ = chosen == nullptr ? 0 : chosen->admitted;
        const bool decodes = chosen != nullptr && std::find(decoding.begin(), decoding.end(), chosen) != decoding.end();
        decoding.assign(decodes ? 1 : 0, chosen);
        prefilling.assign(chosen != nullptr && !decodes ? 1 : 0, chosen);
    }

    for (Sequence * sequence : decoding) {
        const std::size_t later = decoding.size() - slices_.size();  // decoding sequences that still need their cell, this one included
        const std::size_t spare = cache.free_cells() - tokens_.size() - later;
        put_decode(*sequence, cache, spare);
    }
    for (Sequence * sequence : prefilling) {
        const std::size_t chunk = std::max<std::size_t>(limits_.chunk, decoding.size());
        std::size_t free = cache.free_cells() - tokens_.size();
        if (free == 0 && slices_.empty()) {
            scheduler.make_room(1);
            if (sequence->run == nullptr) {
                continue;  // it was itself sent back
            }
            free = cache.free_cells();
        }
        if (tokens_.size() < chunk) {
            put_prefill(*sequence, cache, std::min(chunk - tokens_.size(), free));
        }
    }
}

}  // namespace r1
