// Claims about copy_range: the bytes are right at odd places, holes stay holes, and what cannot be
// done is told by a smaller number.
#include "core/files/copy_range.h"

#include "test/check.h"

#ifdef __linux__
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <vector>

namespace {

using namespace r1;

// A file without a name, which ends with the claim. In the working directory: a file system in
// memory may have no holes.
class File {
public:
    explicit File(int64_t bytes) {
        std::string name = "copy-range-XXXXXX";
        number_ = mkstemp(name.data());
        CHECK(number_ >= 0);
        CHECK(unlink(name.c_str()) == 0);
        CHECK(ftruncate(number_, bytes) == 0);
    }
    ~File() { close(number_); }
    File(const File &) = delete;
    File & operator=(const File &) = delete;

    int number() const { return number_; }
    void put(const std::string & text, int64_t at) const {
        CHECK(pwrite(number_, text.data(), text.size(), at) == static_cast<ssize_t>(text.size()));
    }
    std::string get(std::size_t bytes, int64_t at) const {
        std::string text(bytes, '?');
        CHECK(pread(number_, text.data(), bytes, at) == static_cast<ssize_t>(bytes));
        return text;
    }
    int64_t bytes_on_disk() const {
        struct stat facts = {};
        CHECK(fstat(number_, &facts) == 0);
        return static_cast<int64_t>(facts.st_blocks) * 512;
    }

private:
    int number_ = -1;
};

std::string noise(std::size_t bytes) {
    test::Dice dice(7);
    std::string text(bytes, ' ');
    for (char & one : text) one = static_cast<char>(dice.below(256));
    return text;
}

R1_TEST(
    "copy_range: bytes at odd places come over as they are, and nothing beside them is touched") {
    const std::string text = noise(300'001);
    const File from(400'000);
    const File to(500'000);
    from.put(text, 4'097);
    to.put("before", 33'333 - 6);
    to.put("behind", 33'333 + 300'001);
    CHECK_EQUAL(copy_range({from.number(), 4'097, to.number(), 33'333, 300'001}), int64_t{300'001});
    CHECK(to.get(300'001, 33'333) == text);
    CHECK_EQUAL(to.get(6, 33'333 - 6), std::string("before"));
    CHECK_EQUAL(to.get(6, 33'333 + 300'001), std::string("behind"));
}

R1_TEST("copy_range: holes of the source take no room in the target") {
    constexpr int64_t kSize = int64_t{1} << 31;
    const File from(kSize);
    const File to(kSize + 100);
    from.put("here", kSize / 2);
    from.put("end", kSize - 3);
    CHECK_EQUAL(copy_range({from.number(), 0, to.number(), 100, kSize}), kSize);
    CHECK_EQUAL(to.get(4, kSize / 2 + 100), std::string("here"));
    CHECK_EQUAL(to.get(3, kSize + 97), std::string("end"));
    CHECK(to.bytes_on_disk() < 1'000'000);
}

R1_TEST(
    "copy_range: a source that ends early, files that are none and wrong ranges give what was "
    "done, without harm") {
    const File from(1'000);
    const File to(1'000);
    from.put(noise(1'000), 0);
    CHECK_EQUAL(copy_range({from.number(), 900, to.number(), 0, 1'000}), int64_t{100});
    CHECK_EQUAL(copy_range({from.number(), 2'000, to.number(), 0, 10}), int64_t{0});
    CHECK_EQUAL(copy_range({from.number(), 0, to.number(), 0, 0}), int64_t{0});
    CHECK_EQUAL(copy_range({-1, 0, to.number(), 0, 10}), int64_t{0});
    CHECK_EQUAL(copy_range({from.number(), 0, -1, 0, 10}), int64_t{0});
    CHECK_EQUAL(copy_range({from.number(), -5, to.number(), 0, 10}), int64_t{0});
}

}  // namespace
#endif
