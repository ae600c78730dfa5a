// Scheduler: decides which requests wait, which get a sequence, and whose cells are freed. Engine
// thread only.
#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "core/backend/cache.h"
#include "core/engine/request.h"
#include "core/engine/sequence.h"
#include "core/text/vocab.h"

namespace r1 {

class Scheduler {
public:
    /**
     * `guest_sequence`: the last of the `sequences` is for guests alone. They then take no cells
     * that idle sequences hold, and yield theirs to all other requests. Without it they run as any
     * request, but leave no cells behind.
     */
    Scheduler(Cache & cache, const Vocab & vocab, uint32_t sequences, bool prefix_cache,
              bool guest_sequence = false);

    /** Queues a new request behind those of its priority. */
    void add(std::shared_ptr<Request> request);

    /** Ends waiting and running requests that were cancelled or have timed out. */
    void expire(Clock::time_point now, std::vector<Event> & out);

    /** Gives idle sequences to waiting requests, in order, as long as their prompts fit beside what
     * runs. */
    void admit(std::vector<Event> & out);

    /**
     * Empties the least recently used idle sequence that holds cells, except `keep`. False: there
     * is none.
     */
    bool drop_idle(const Sequence * keep = nullptr);

    /**
     * Frees cells in one step: drops an idle sequence, else sends the youngest of the least
     * important runs back to the queue. False: only one run is left. Each step may reduce the need,
     * so the caller counts again.
     */
    bool make_room();

    /** Ends a sequence's run; its cells stay for later prompts. */
    void finish(Sequence & sequence, EndReason reason, std::vector<Event> & out);

    /** Ends a sequence's run with an error and drops its cells. */
    void fail(Sequence & sequence, const char * code, const std::string & message,
              std::vector<Event> & out);

    /** Ends everything with an error. */
    void fail_all(const char * code, const std::string & message, std::vector<Event> & out);

    std::vector<Sequence> & sequences() { return sequences_; }
    /** Notes that a sequence was used just now. */
    void touch(Sequence & sequence) { sequence.last_used = ++clock_; }

    /** Holds an idle sequence that begins with these tokens and that the session may use, cut to
     * them; nullptr: there is none. */
    std::shared_ptr<CellHold> hold(const std::vector<llama_token> & tokens, uint64_t session);

    /** Empties the least recently used idle sequence, counts these tokens in it and keeps them for
     * the session. Throws Failure: QueueFull, ContextFull. */
    std::shared_ptr<CellHold> hold_for(const std::vector<llama_token> & tokens, uint64_t session);

    /** Ends a hold; with `keep` false, also drops its cells. Does nothing if it was revoked. */
    void release(const std::shared_ptr<CellHold> & hold, bool keep);

    /** Takes the cells of the least recently used held sequence. False: none is held. */
    bool revoke_oldest();

    bool has_holds() const;

    /** Drops the cells that idle sequences keep for a session. */
    void forget(uint64_t session);

    /** The idle sequence to give away: an empty one if there is one, else the least recently used;
     * or nullptr. */
    Sequence * least_recent_idle(const Sequence * except);

    uint32_t running() const;
    uint32_t waiting() const { return static_cast<uint32_t>(waiting_.size()); }

private:
    struct Waiting {
        std::shared_ptr<Request> request;
        std::unique_ptr<Run> run;  // of a run that was sent back, or of a request that was about to
                                   // start; else nullptr
        const std::vector<llama_token> & feed() const {
            return run ? run->feed() : request->tokens;
        }
    };
    struct Prefix {
        Sequence * source = nullptr;
        std::size_t length = 0;
    };

    // Waits: others may pass. GuestYields: the running guest holds cells that the entry needs.
    enum class Start { Done, Waits, GuestYields, NoRoom };

    Prefix best_prefix(const Waiting & entry);
    bool comes_soon(const Waiting & entry, std::size_t have) const;
    uint32_t promised() const;
    Sequence * place(const Prefix & prefix);
    bool is_guest(const Waiting & entry) const;
    bool has_place(const Waiting & entry);
    bool guest_yields();
    Start start_guest(Waiting & entry, std::vector<Event> & out);
    void keep_room_for_guests(const Sequence & latest);
    bool find_cells(const Prefix & prefix, const Sequence & target, std::size_t needed);
    bool make_run(Waiting & entry, std::vector<Event> & out);
    Start start(Waiting & entry, std::vector<Event> & out);
    void send_back(Sequence & sequence);
    static std::shared_ptr<CellHold> hold_sequence(Sequence & sequence, const CellHold & facts);

    Cache & cache_;
    const Vocab & vocab_;
    std::vector<Sequence> sequences_;
    std::deque<Waiting> waiting_;
    bool prefix_cache_;
    Sequence * guests_ = nullptr;  // the guests' sequence, of `sequences_`; or none
    bool had_guest_ = false;
    uint64_t clock_ = 0;
};

}  // namespace r1
