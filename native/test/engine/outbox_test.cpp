// Claims about Outbox: quick steps are told together, slow ones at once, an end never waits, and
// nothing is lost or put out of order.
#include "core/engine/outbox.h"

#include "test/check.h"

namespace {

using r1::Clock;
using r1::Event;
using r1::Outbox;
using std::chrono::microseconds;

Event token(llama_token id) { return r1::TokenEvent{1, id, "x", {}}; }

struct Told {
    std::vector<std::vector<Event>> deliveries;
    Outbox outbox{
        [this](std::vector<Event> && events) { deliveries.push_back(std::move(events)); }};
    Clock::time_point now = Clock::time_point{} + std::chrono::hours(1);
    llama_token next = 0;

    // One step that took this long and sampled one token.
    void step(microseconds took) {
        now += took;
        std::vector<Event> events;
        events.push_back(token(next++));
        outbox.add(std::move(events), now);
    }

    std::vector<std::size_t> sizes() const {
        std::vector<std::size_t> all;
        for (const std::vector<Event> & delivery : deliveries) all.push_back(delivery.size());
        return all;
    }
};

R1_TEST(
    "outbox: a first token is told at once, those of quick steps together, none waits longer than "
    "the longest delay") {
    Told told;
    for (int i = 0; i < 25; ++i) told.step(microseconds(1200));
    const std::vector<std::size_t> expected = {1, 12, 12};
    CHECK(told.sizes() == expected);
    llama_token id = 0;
    for (const std::vector<Event> & delivery : told.deliveries) {
        for (const Event & event : delivery)
            CHECK_EQUAL(std::get<r1::TokenEvent>(event).token, id++);
    }
}

R1_TEST(
    "outbox: slow steps are told one by one, and what was held before with the first "
    "of them") {
    Told told;
    for (int i = 0; i < 6; ++i) told.step(microseconds(2600));
    CHECK_EQUAL(told.deliveries.size(), std::size_t{6});
    told.step(microseconds(1200));
    told.step(microseconds(1200));
    CHECK_EQUAL(told.deliveries.size(), std::size_t{6});
    told.step(microseconds(2600));
    CHECK_EQUAL(told.deliveries.size(), std::size_t{7});
    CHECK_EQUAL(told.deliveries.back().size(), std::size_t{3});
}

R1_TEST("outbox: the end of a request is told at once, after what was held") {
    Told told;
    for (int i = 0; i < 3; ++i) told.step(microseconds(100));
    CHECK_EQUAL(told.deliveries.size(), std::size_t{1});
    told.now += microseconds(100);
    std::vector<Event> events;
    events.push_back(token(told.next++));
    events.emplace_back(r1::ErrorEvent{1, "INTERNAL", "broken"});
    told.outbox.add(std::move(events), told.now);
    CHECK_EQUAL(told.deliveries.size(), std::size_t{2});
    CHECK_EQUAL(told.deliveries[1].size(), std::size_t{4});
    CHECK(std::holds_alternative<r1::ErrorEvent>(told.deliveries[1].back()));
}

R1_TEST("outbox: the early tokens of a request are delivered at once") {
    Told told;
    told.step(microseconds(100));
    for (int i = 0; i < 2; ++i) {
        told.now += microseconds(100);
        std::vector<Event> events;
        events.push_back(r1::TokenEvent{2, told.next++, "x", {}, true});
        told.outbox.add(std::move(events), told.now);
    }
    told.step(microseconds(100));
    CHECK_EQUAL(told.deliveries.size(), std::size_t{3});
}

R1_TEST("outbox: flush tells what is held, and nothing when nothing is") {
    Told told;
    told.step(microseconds(100));
    told.outbox.flush(told.now);
    CHECK_EQUAL(told.deliveries.size(), std::size_t{1});
    told.step(microseconds(100));
    CHECK_EQUAL(told.deliveries.size(), std::size_t{1});
    told.outbox.flush(told.now);
    CHECK_EQUAL(told.deliveries.size(), std::size_t{2});
}

}  // namespace
