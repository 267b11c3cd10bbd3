// From engine options to libtorrent's settings: what a session that streams, and keeps nothing on disk,
// is told. Pure functions; nothing here starts or holds a session.
#pragma once

#include <slipstream/engine.hpp>

#include <libtorrent/settings_pack.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace slipstream {

// Throws std::invalid_argument, naming the value and what would be right, for options out of range.
// (The memory's options are checked by memory_disk.)
void check(engine_options const& options);

// libtorrent's list form ("1.2.3.4:80,[::1]:80") of ADDR:PORT addresses. Throws as check() does.
[[nodiscard]] std::string listen_interfaces(std::vector<std::string> const& addresses);

// What peers may take of a memory of that capacity: connections, what is asked for, and what is
// being sent. To be applied again when the capacity changes.
void limit_to(std::int64_t capacity_bytes, lt::settings_pack& settings);

// Precondition: check(options) passed.
[[nodiscard]] lt::settings_pack session_settings(engine_options const& options);

} // namespace slipstream
