// libtorrent's settings, by name.
//
// A value (copies share nothing once changed), owned by the caller, one thread at a time. It holds
// what was set and nothing else; it belongs to no session.
#pragma once

#include <slipstream_binding/outcome.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace libtorrent { struct settings_pack; }

namespace slipstream::binding {

class settings
{
public:
	settings();
	~settings();
#ifndef SWIG
	settings(settings const&);
	settings& operator=(settings const&);
	explicit settings(libtorrent::settings_pack const&);
	[[nodiscard]] libtorrent::settings_pack const& pack() const { return *m_pack; }
#endif

	// Whether libtorrent has a setting of that name that means anything: not the ones that are kept
	// as names only (cache_size, use_read_cache, ...). Never fails.
	[[nodiscard]] static bool has(std::string const& name);
	// "int", "bool", "string", or "" for a setting that is not had.
	[[nodiscard]] static std::string type_of(std::string const& name);
	[[nodiscard]] static std::vector<std::string> names();

	// Errors: unknown_setting (no such name, or of another type; the message says which),
	// bad_argument (does not fit 32 bits, or is one that libtorrent crashes with).
	void set_int(std::string const& name, std::int64_t value, outcome& out);
	void set_bool(std::string const& name, bool value, outcome& out);
	void set_str(std::string const& name, std::string const& value, outcome& out);
	// What was set, or libtorrent's default. Errors: unknown_setting.
	[[nodiscard]] std::int64_t get_int(std::string const& name, outcome& out) const;
	[[nodiscard]] bool get_bool(std::string const& name, outcome& out) const;
	[[nodiscard]] std::string get_str(std::string const& name, outcome& out) const;

private:
	std::unique_ptr<libtorrent::settings_pack> m_pack;
};

} // namespace slipstream::binding
