// Claims about vocabulary_check: it finds what a slow and plain search finds, in tables of all
// kinds, and refuses places outside the bytes.
#include "core/text/vocabulary_check.h"

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "test/check.h"

namespace {

using namespace r1;

// A table as it stands in a file.
class Table {
public:
    explicit Table(const std::vector<std::string> & texts) {
        for (const std::string & text : texts) {
            bytes_.resize(bytes_.size() + 8, 0xff);  // what stands there is not looked at again
            starts_.push_back(static_cast<uint32_t>(bytes_.size()));
            bytes_.insert(bytes_.end(), text.begin(), text.end());
        }
    }
    StringTable view() const {
        return {bytes_.data(), static_cast<uint32_t>(bytes_.size()), starts_.data(),
                static_cast<uint32_t>(starts_.size())};
    }
    std::vector<uint32_t> & starts() { return starts_; }

private:
    std::vector<uint8_t> bytes_;
    std::vector<uint32_t> starts_;
};

std::optional<std::pair<uint32_t, uint32_t>> naive_equal(const std::vector<std::string> & texts) {
    std::map<std::string, uint32_t> seen;
    for (uint32_t i = 0; i < texts.size(); ++i) {
        const std::string text = texts[i].c_str();  // up to a NUL byte
        if (text.empty()) continue;
        const auto [place, is_new] = seen.emplace(text, i);
        if (!is_new) return std::make_pair(place->second, i);
    }
    return std::nullopt;
}

std::optional<uint32_t> naive_no_pair(const std::vector<std::string> & texts) {
    for (uint32_t i = 0; i < texts.size(); ++i) {
        const std::string & text = texts[i];
        if (std::count(text.begin(), text.end(), ' ') != 1 || text.front() == ' ' ||
            text.back() == ' ')
            return i;
    }
    return std::nullopt;
}

std::vector<std::string> random_texts(std::mt19937 & random, std::size_t count,
                                      const std::string & letters, std::size_t longest) {
    std::vector<std::string> texts(count);
    for (std::string & text : texts) {
        const std::size_t size = random() % (longest + 1);
        for (std::size_t i = 0; i < size; ++i) text.push_back(letters[random() % letters.size()]);
    }
    return texts;
}

R1_TEST(
    "vocabulary check: equal tokens are found as a plain search finds them, cut at a NUL byte, "
    "empty ones apart") {
    std::mt19937 random(1);
    int found = 0;
    int none = 0;
    for (int round = 0; round < 2000; ++round) {
        const std::size_t longest = 1 + round % 9;
        const std::vector<std::string> texts =
            random_texts(random, random() % 60, std::string("ab\0\xe2", 4), longest);
        const Table table(texts);
        CHECK(is_sound(table.view()));
        const auto expected = naive_equal(texts);
        for (const uint32_t seed : {0u, 7u, static_cast<uint32_t>(random())})
            CHECK(first_equal(table.view(), seed) == expected);
        ++(expected ? found : none);
    }
    CHECK(found > 200);
    CHECK(none > 200);
}

R1_TEST(
    "vocabulary check: a large table without equal tokens has none, with one more at its end has "
    "that one") {
    std::vector<std::string> texts;
    for (int i = 0; i < 100000; ++i) texts.push_back("token " + std::to_string(i));
    CHECK(!first_equal(Table(texts).view(), 3).has_value());
    texts.push_back("token 777");
    const auto expected = std::make_pair(uint32_t{777}, uint32_t{100000});
    CHECK(first_equal(Table(texts).view(), 3) == expected);
}

R1_TEST("vocabulary check: merges that are no pair are found as a plain search finds them") {
    std::mt19937 random(2);
    int found = 0;
    int none = 0;
    for (int round = 0; round < 3000; ++round) {
        std::vector<std::string> texts = random_texts(random, random() % 6, "a b", 5);
        if (round % 3 == 0) texts.assign(random() % 6, "a b");
        const auto expected = naive_no_pair(texts);
        CHECK(first_no_pair(Table(texts).view()) == expected);
        ++(expected ? found : none);
    }
    CHECK(found > 200);
    CHECK(none > 200);
}

R1_TEST(
    "vocabulary check: a table whose places lie outside its bytes or out of order is not sound") {
    Table good({"a", "", "b c"});
    CHECK(is_sound(good.view()));
    Table outside({"a", "b"});
    outside.starts()[1] = 1000;
    CHECK(!is_sound(outside.view()));
    Table backwards({"abc", "b"});
    backwards.starts()[1] = 10;
    CHECK(!is_sound(backwards.view()));
    Table small({"abc", "b"});
    small.starts()[1] = 3;
    CHECK(!is_sound(small.view()));
    CHECK(is_sound(Table({}).view()));
}

}  // namespace
