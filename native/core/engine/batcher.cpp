// Batcher: fills one llama_batch: the next token of every running sequence first, then prompts in
// chunks. Engine thread only.
#include "core/engine/batcher.h"

#include <algorithm>

namespace r1 {
namespace {

std::size_t remaining(const Sequence & sequence, const Cache & cache) {
    return sequence.run->feed().size() - cache.length(sequence.id);
}

// Needs only one more token before it chooses the next: a running stream, not a prompt.
bool is_decoding(const Sequence & sequence, const Cache & cache) {
    return sequence.run != nullptr && sequence.run->has_generated() &&
           remaining(sequence, cache) == 1;
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

// Guesses use neither the cells promised to running prompts nor the prompts' last row of the batch.
Batcher::Spare Batcher::spare_for_guesses(const std::vector<Sequence *> & decoding,
                                          const std::vector<Sequence *> & prefilling,
                                          const Cache & cache) const {
    std::size_t taken = decoding.size();
    for (const Sequence * sequence : prefilling) {
        taken += remaining(*sequence, cache);
    }
    const std::size_t rows = decoding.size() + (prefilling.empty() ? 0 : 1);
    Spare spare{};
    spare.rows = limits_.batch > rows ? limits_.batch - rows : 0;
    // With a share of cells for each sequence, only its own room counts.
    spare.cells = !cache.ledger().shared()     ? spare.rows
                  : cache.free_cells() > taken ? cache.free_cells() - taken
                                               : 0;
    return spare;
}

// The next token of each running stream, and guesses of the following tokens if cells are free.
void Batcher::put_decoding(const std::vector<Sequence *> & decoding, Cache & cache,
                           DraftModel * draft, Spare spare) {
    std::vector<std::vector<llama_token>> guesses(decoding.size());
    std::vector<DraftModel::Job> jobs;
    DraftPace::Step step{decoding.size(), static_cast<double>(decoding.size()), 0};
    // The first step without guesses gives the cost that guesses are compared with.
    const bool weighable = limits_.max_draft > 0 && cost_.knows(decoding.size());
    for (std::size_t i = 0; i < decoding.size() && weighable; ++i) {
        Run & run = *decoding[i]->run;
        const bool by_model = draft != nullptr && run.request().model_draft > 0;
        if (!by_model && !run.guesses_by_ngram()) {
            continue;
        }
        const std::size_t room = cache.ledger().per_sequence() - cache.length(decoding[i]->id) - 1;
        const std::size_t limit =
            std::min({static_cast<std::size_t>(limits_.max_draft), room, spare.cells, spare.rows});
        step.guess_ms = by_model ? guess_ms_ : 0;
        const std::size_t count = run.draft_length(cost_, step, limit);
        if (count == 0) {
            continue;
        }
        spare.cells -= count;
        spare.rows -= count;
        if (by_model) {
            jobs.push_back({decoding[i]->id, run.request().id, &run.feed(), count, {}});
        } else {
            guesses[i] = run.draft_by_ngram(count);
        }
    }
    if (!jobs.empty()) {
        propose(*draft, jobs);
        for (DraftModel::Job & job : jobs) {
            const auto owner =
                std::find_if(decoding.begin(), decoding.end(),
                             [&](const Sequence * s) { return s->id == job.sequence; });
            guesses[static_cast<std::size_t>(owner - decoding.begin())] = std::move(job.guesses);
        }
    }
    for (std::size_t i = 0; i < decoding.size(); ++i) {
        const auto known =
            std::find_if(guesses[i].begin(), guesses[i].end(),
                         [this](llama_token id) { return id >= limits_.vocab_size; });
        guesses[i].erase(known, guesses[i].end());
        const std::size_t position = cache.length(decoding[i]->id);
        slices_.push_back(
            {decoding[i], tokens_.size(), 1 + guesses[i].size(), guesses[i].size(), true});
        put(decoding[i]->run->feed().back(), decoding[i]->id, position, true);
        for (std::size_t g = 0; g < guesses[i].size(); ++g) {
            put(guesses[i][g], decoding[i]->id, position + 1 + g, true);
        }
    }
}

void Batcher::propose(DraftModel & draft, std::vector<DraftModel::Job> & jobs) {
    const Clock::time_point start = Clock::now();
    draft.propose(jobs);
    std::size_t longest = 0;
    for (const DraftModel::Job & job : jobs) {
        longest = std::max(longest, job.guesses.size());
    }
    if (longest > 0 && !limits_.deterministic) {
        const double each =
            std::chrono::duration<double, std::milli>(Clock::now() - start).count() /
            static_cast<double>(longest);
        guess_ms_ =
            guess_ms_ == 0 ? each : guess_ms_ + (std::min(each, 2 * guess_ms_) - guess_ms_) / 4;
    }
}

void Batcher::report(double milliseconds) {
    const bool takes_prompts = std::any_of(slices_.begin(), slices_.end(), [](const Slice & slice) {
        return slice.count != slice.drafted + 1;
    });
    if (takes_prompts) {
        pace_.report(tokens_.size(), milliseconds);
    } else if (limits_.max_draft > 0) {  // otherwise no sequence guesses
        cost_.report(tokens_.size(), milliseconds);
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

// The running streams, each with a cell for its next token. Making room may send runs back to the
// queue, or end the last one.
std::vector<Sequence *> Batcher::decoding_with_room(Scheduler & scheduler, Cache & cache,
                                                    std::vector<Event> & out) {
    for (;;) {
        std::vector<Sequence *> decoding;
        for (Sequence & sequence : scheduler.sequences()) {
            if (!is_decoding(sequence, cache)) {
                continue;
            }
            if (cache.length(sequence.id) >= cache.ledger().per_sequence()) {
                scheduler.finish(sequence, EndReason::Length, out);
            } else {
                decoding.push_back(&sequence);
            }
        }
        if (cache.free_cells() >= decoding.size()) {
            return decoding;
        }
        if (!scheduler.make_room()) {
            scheduler.finish(*decoding.front(), EndReason::Length, out);  // the only run there is
        }
    }
}

// Deterministic mode: only the sequence that follows the one of the last turn.
void Batcher::keep_one(std::vector<Sequence *> & decoding, std::vector<Sequence *> & prefilling) {
    Sequence * next = nullptr;
    Sequence * first = nullptr;
    for (const std::vector<Sequence *> * group : {&decoding, &prefilling}) {
        for (Sequence * sequence : *group) {
            if (first == nullptr || sequence->admitted < first->admitted) {
                first = sequence;
            }
            if (sequence->admitted > turn_ &&
                (next == nullptr || sequence->admitted < next->admitted)) {
                next = sequence;
            }
        }
    }
    Sequence * chosen = next != nullptr ? next : first;
    turn_ = chosen == nullptr ? 0 : chosen->admitted;
    const auto others = [chosen](const Sequence * sequence) { return sequence != chosen; };
    decoding.erase(std::remove_if(decoding.begin(), decoding.end(), others), decoding.end());
    prefilling.erase(std::remove_if(prefilling.begin(), prefilling.end(), others),
                     prefilling.end());
}

// Whole prompts, oldest first, until they are enough for a step.
Batcher::Share Batcher::share_of(const std::vector<Sequence *> & prefilling,
                                 const Cache & cache) const {
    const std::size_t enough = pace_.rows();
    Share share{0, false};
    for (const Sequence * sequence : prefilling) {
        if (share.rows >= enough) {
            share.leaves_some = true;
            break;
        }
        share.rows += remaining(*sequence, cache);
    }
    return share;
}

// While prompts take turns, running streams have a step for each chunk of prompt rows, so none
// waits longer than for one long prompt. Streams whose reply has just begun are not held: their
// readers have seen nothing yet. Where cells are short none is held, or prompts would take theirs.
void Batcher::hold_streams(std::vector<Sequence *> & decoding, Share share, const Cache & cache) {
    held_rows_ += share.rows;
    const bool has_room = cache.free_cells() >= share.rows + decoding.size();
    if (!share.leaves_some || !has_room || held_rows_ >= limits_.chunk) {
        held_rows_ = 0;
        return;
    }
    decoding.erase(
        std::remove_if(decoding.begin(), decoding.end(),
                       [](const Sequence * sequence) { return !sequence->run->is_early(); }),
        decoding.end());
}

// The rest of the chunk. If running streams fill it, a small part more, so that prompts still
// progress.
std::size_t Batcher::prefill_budget() const {
    const std::size_t left = limits_.chunk > tokens_.size() ? limits_.chunk - tokens_.size() : 0;
    const std::size_t least = std::max<std::size_t>(limits_.chunk / 8, 1);
    return std::min(std::max(left, least),
                    limits_.batch > tokens_.size() ? limits_.batch - tokens_.size() : 0);
}

void Batcher::plan(Scheduler & scheduler, Cache & cache, DraftModel * draft, bool alone,
                   std::vector<Event> & out) {
    clear();
    std::vector<Sequence *> decoding = decoding_with_room(scheduler, cache, out);
    std::vector<Sequence *> prefilling;
    for (Sequence & sequence : scheduler.sequences()) {
        // A run with nothing left to decode is choosing its next token and skips this step.
        if (sequence.run != nullptr && !is_decoding(sequence, cache) &&
            remaining(sequence, cache) > 0) {
            prefilling.push_back(&sequence);
        }
    }
    std::sort(prefilling.begin(), prefilling.end(),
              [](const Sequence * a, const Sequence * b) { return a->admitted < b->admitted; });
    if (limits_.deterministic || alone) {
        keep_one(decoding, prefilling);
    }
    const Share share = share_of(prefilling, cache);
    hold_streams(decoding, share, cache);
    put_decoding(decoding, cache, draft, spare_for_guesses(decoding, prefilling, cache));
    std::size_t budget = std::min(prefill_budget(), share.rows);
    for (Sequence * sequence : prefilling) {
        if (sequence->run == nullptr) {
            continue;  // making room sent it back
        }
        std::size_t free = cache.free_cells() - tokens_.size();
        if (free == 0 && slices_.empty()) {
            scheduler.make_room();
            if (sequence->run == nullptr) {
                continue;
            }
            free = cache.free_cells();
        }
        const std::size_t before = tokens_.size();
        put_prefill(*sequence, cache, std::min(budget, free));
        budget -= tokens_.size() - before;
    }
}

}  // namespace r1
