// Upstream's converter of JSON Schemas as a program: a schema a line in, a line out: "G" and the grammar, or "E" and why there is none. Main thread of its own process.
#include <json-schema-to-grammar.h>

#include <exception>
#include <iostream>
#include <string>

namespace {

void print_line(const std::string & text) {
    for (const char c : text) {
        if (c == '\n') {
            std::cout << "\\n";
        } else if (c == '\\') {
            std::cout << "\\\\";
        } else {
            std::cout << c;
        }
    }
    std::cout << std::endl;
}

}  // namespace

int main() {
    std::string line;
    while (std::getline(std::cin, line)) {
        try {
            print_line("G" + json_schema_to_grammar(common_json::parse(line)));
        } catch (const std::exception & error) {
            print_line(std::string("E") + error.what());
        }
    }
    return 0;
}
