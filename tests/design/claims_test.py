"""What docs/design.md and docs/threads.md say of the sources, held against the sources: the layers, who may look at
libtorrent's version and inside of it, what stream is made of, who looks at a clock that can jump, which classes have a mutex. And that the tests which
docs/reliability.md names exist.
"""

import os
import re
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def text_of(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def sources(folder="src"):
    """Each C++ file below the folder: its path from the root, and its text."""
    for where, _, names in sorted(os.walk(os.path.join(ROOT, folder))):
        for name in sorted(names):
            if name.endswith((".cpp", ".hpp")):
                path = os.path.relpath(os.path.join(where, name), ROOT)
                yield path, text_of(path)


def layers():
    """The layers' folders as the diagram in design.md lists them, the highest first."""
    return re.findall(r"^(\w+) +.*  src/\1$", text_of("docs/design.md"), re.MULTILINE)


class Layers(unittest.TestCase):
    def test_are_those_that_there_are(self):
        folders = [d for d in os.listdir(os.path.join(ROOT, "src")) if os.path.isdir(os.path.join(ROOT, "src", d))]
        self.assertEqual(sorted(layers()), sorted(folders))

    def test_include_nothing_that_is_above_them(self):
        order = layers()
        for path, text in sources():
            if path.count(os.sep) < 2:
                continue
            own = path.split(os.sep)[1]
            for other in re.findall(r'^#include "(\w+)/', text, re.MULTILINE):
                with self.subTest(path, includes=other):
                    self.assertGreaterEqual(order.index(other), order.index(own))

    def test_link_nothing_that_is_above_them(self):
        order = layers()
        for own in order:
            for other in re.findall(r"slipstream_(\w+)", text_of(f"src/{own}/CMakeLists.txt")):
                if other in order:
                    with self.subTest(own, links=other):
                        self.assertGreaterEqual(order.index(other), order.index(own))

    def test_of_arithmetic_know_no_thread_and_of_libtorrent_its_numbers(self):
        for path, text in sources("src/stream"):
            with self.subTest(path):
                self.assertNotRegex(text, r"#include (<(thread|mutex|atomic|boost/asio.*)>|\"block/mutex)")
                known = set(re.findall(r"#include <libtorrent/(.*)>", text))
                self.assertLessEqual(known, {"units.hpp", "download_priority.hpp"})


class Libtorrent(unittest.TestCase):
    def only(self, pattern, files):
        self.assertEqual([path for path, text in sources() if re.search(pattern, text)], files)

    def test_has_a_version_for_one_file(self):
        self.only(r"LIBTORRENT_VERSION_(NUM|MAJOR|MINOR)|TORRENT_ABI_VERSION", ["src/disk/lt_compat.hpp"])

    def test_has_connections_that_one_file_looks_into(self):
        self.only(r"#include <libtorrent/(aux_/)?(bt_)?peer_connection\.hpp>", ["src/disk/sending_at_once.cpp"])

    def test_has_no_insides_for_anybody(self):
        # But containers that its interfaces are made of.
        self.only(r"#include <libtorrent/(aux_/(?!vector|peer_connection)|torrent\.hpp|piece_picker\.hpp|peer_list\.hpp)", [])


class Clocks(unittest.TestCase):
    def test_that_can_jump_are_for_what_people_read(self):
        wall = re.compile(r"system_clock|high_resolution_clock|std::time\(|gettimeofday|CLOCK_REALTIME")
        self.assertEqual([path for path, text in sources() if wall.search(text)],
                         ["src/engine/torrent_entry.hpp", "src/engine/torrent_windows.cpp", "src/http/head.cpp", "src/http/json.cpp"])


class Mutexes(unittest.TestCase):
    """The table "Locks" of threads.md has each class with a mutex, and no other."""

    def test_are_all_in_the_table(self):
        table = text_of("docs/threads.md").split("## Locks")[1].split("\n\n")[2]
        rows = re.findall(r"^\| `([\w:]+)` \|", table, re.MULTILINE)
        self.assertGreater(len(rows), 10)
        named = {(row.split("::")[0] if row.startswith("block_pool") else row.split("::")[-1]) for row in rows}
        have = {os.path.splitext(os.path.basename(path))[0] for path, text in sources()
                if re.search(r"^\t(mutable )?(std::)?mutex m_", text, re.MULTILINE) and not path.endswith("block/mutex.hpp")}
        self.assertEqual(have, named)
        pool = re.findall(r"^\tmutex (m_\w+)[;{]", text_of("src/block/block_pool.hpp"), re.MULTILINE)
        self.assertEqual({f"block_pool::{name}" for name in pool}, {row for row in rows if row.startswith("block_pool")})

    def test_are_watched(self):
        for path, text in sources():
            if path != os.path.join("src", "block", "mutex.hpp"):
                with self.subTest(path):
                    self.assertNotRegex(text, r"\bstd::\w*mutex\b|\bstd::(scoped|unique|shared)_lock|\bstd::lock_guard")

    def test_that_are_outer_ones_are_those_that_the_table_names(self):
        table = text_of("docs/threads.md").split("## Locks")[1].split("\n\n")[2]
        named = set(re.findall(r"\| `block_pool::(\w+)` \|\n", table))
        found = {name for _, text in sources() for name in re.findall(r"mutex (m_\w+)\{mutex::rank::outer\}", text)}
        self.assertEqual(found, named)


class Guarantees(unittest.TestCase):
    """The table "What is guaranteed" of reliability.md names tests that there are."""

    def programs(self):
        """The tests of each program: (suite, name)."""
        found = {}
        for where, _, files in os.walk(os.path.join(ROOT, "tests")):
            if "CMakeLists.txt" not in files:
                continue
            for name, listed in re.findall(r"^slipstream_test\((\w+) *\n? *SOURCES ([^)]*?)(?:DEPENDS|PCH|\))",
                                           text_of(os.path.join(where, "CMakeLists.txt")), re.MULTILINE):
                text = "".join(text_of(os.path.join(where, source)) for source in listed.split())
                found[name] = set(re.findall(r"^(?:CONTRACT_)?TEST(?:_F|_P)?\((\w+), (\w+)", text, re.MULTILINE))
        return found

    def test_are_checked_by_tests_that_there_are(self):
        programs = self.programs()
        self.assertGreater(len(programs), 10)
        others = set(re.findall(r"\b(t\d\d_\w+)", text_of("tests/e2e/CMakeLists.txt")))
        others |= set(re.findall(r"add_test\(NAME ([\w.]+)", text_of("tests/CMakeLists.txt")))
        section = text_of("docs/reliability.md").split("## What is guaranteed")[1].split("\n## ")[0]
        words = re.findall(r"`((?:\w+_test|test_\w+|e2e|design)(?:\.[^` ]*)?)`", section)
        self.assertGreater(len(words), 50)
        for word in words:
            with self.subTest(word):
                program, _, rest = word.partition(".")
                if program in ("e2e", "design"):
                    self.assertIn(rest if program == "e2e" else word, others)
                    continue
                self.assertIn(program, programs)
                known = {f"{suite}.{name}" for suite, name in programs[program]}
                rest = rest.split("/")[-1]
                if rest.endswith("*"):
                    self.assertTrue(any(test.startswith(rest[:-1]) for test in known))
                elif "." in rest:
                    self.assertIn(rest, known)
                elif rest:
                    self.assertTrue(any(test.startswith(rest + ".") for test in known))


if __name__ == "__main__":
    unittest.main(verbosity=2)
