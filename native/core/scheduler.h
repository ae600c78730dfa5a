// Scheduler: who waits, who gets a sequence, whose cells make room. Engine thread only.
#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "core/cache.h"
#include "core/request.h"
#include "core/sequence.h"
#include "core/vocab.h"

namespace r1 {

class Scheduler {
public:
    Scheduler(Cache & cache, const Vocab & vocab, uint32_t sequences, bool prefix_cache);

    /** A new request waits behind those of its priority. */
    void add(std::shared_ptr<Request> request);

    /** Ends waiting and running requests that were cancelled or are out of time. */
    void expire(Clock::time_point now, std::vector<Event> & out);

    /** Gives idle sequences to waiting requests, in order, as long as their prompts fit beside what runs. */
    void admit(std::vector<Event> & out);

    /**
     * Makes sure that `needed` cells are free: drops idle sequences, least recently used first, then sends the youngest run back to wait.
     * False if even that does not do (one run left, and the cache is full of it).
     */
    bool make_room(uint32_t needed);

    /** Ends a sequence's run; its cells stay for later prompts. */
    void finish(Sequence & sequence, EndReason reason, std::vector<Event> & out);

    /** Ends a sequence's run with an error and drops its cells. */
    void fail(Sequence & sequence, const char * code, const std::string & message, std::vector<Event> & out);

    /** Ends everything with an error. */
    void fail_all(const char * code, const std::string & message, std::vector<Event> & out);

    std::vector<Sequence> & sequences() { return sequences_; }
    Sequence * idle_holding(const std::vector<llama_token> & tokens);

    /** The least recently used idle sequence, or nullptr. */
    Sequence * least_recent_idle(const Sequence * except);

    uint32_t running() const;
    uint32_t waiting() const { return static_cast<uint32_t>(waiting_.size()); }

private:
    struct Waiting {
        std::shared_ptr<Request> request;
        std::unique_ptr<Run> run;  // of a run that was sent back; nullptr for a new request
        const std::vector<llama_token> & feed() const { return run ? run->feed() : request->tokens; }
    };
    struct Prefix {
        Sequence * source = nullptr;
        std::size_t length = 0;
    };

    Prefix best_prefix(const Waiting & entry);
    bool comes_soon(const Waiting & entry, std::size_t have) const;
    uint32_t promised() const;
    Sequence * place(const Prefix & prefix);
    bool start(Waiting & entry, std::vector<Event> & out);
    void touch(Sequence & sequence) { sequence.last_used = ++clock_; }

    Cache & cache_;
    const Vocab & vocab_;
    std::vector<Sequence> sequences_;
    std::deque<Waiting> waiting_;
    bool prefix_cache_;
    uint64_t clock_ = 0;
};

}  // namespace r1
