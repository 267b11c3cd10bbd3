// The flags of one command, and where their values come from: the command line, or the environment.
//
// Made and used by parse_arguments in one thread, and gone when it returns; CLI11 reads the words,
// which this does not replace. A value that is wrong ends the reading by `wrong_value`, which
// parse_arguments catches.
#pragma once

#include "cli/arguments.hpp"

#include <slipstream/error.hpp>

#include <CLI/CLI.hpp>

#include <chrono>
#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace slipstream::cli {

// Says which value, from where, and what would be right. Never leaves parse_arguments.
struct wrong_value
{
	std::string what;
};

class flags
{
public:
	struct value
	{
		std::string source;  // "--capacity" or "SLIPSTREAM_CAPACITY"
		std::string text;
	};

	// Both must outlive it.
	flags(CLI::App& command, environment const& env) : m_command(command), m_env(env) {}

	void add(std::string const& name, std::string const& placeholder, std::string const& what
		, bool repeatable = false);
	void add_switch(std::string const& name, std::string const& what);

	// All values of a flag that was added: the flag's, or else its variable's.
	[[nodiscard]] std::vector<value> all(std::string const& name) const;
	[[nodiscard]] std::optional<value> last(std::string const& name) const;
	// The last one's text, or nothing.
	[[nodiscard]] std::string text(std::string const& name) const;
	// Of a switch.
	[[nodiscard]] bool on(std::string const& name) const;

private:
	struct entry
	{
		std::string name;
		bool repeatable = false;
		std::vector<std::string> given;
		CLI::Option* option = nullptr;
	};

	[[nodiscard]] entry const& find(std::string const& name) const;

	CLI::App& m_command;
	environment const& m_env;
	std::list<entry> m_entries;  // CLI11 keeps pointers to `given`
};

// The value, or wrong_value with the source in front.
template <typename T>
T take(flags::value const& v, expected<T> parsed)
{
	if (!parsed) throw wrong_value{v.source + ": " + parsed.error().detail};
	return std::move(*parsed);
}

// Flags of these kinds, whatever their names; all throw wrong_value.
[[nodiscard]] std::vector<boost::asio::ip::tcp::endpoint> addresses(flags const& given, std::string const& name);
[[nodiscard]] std::vector<boost::asio::ip::tcp::endpoint> peers(flags const& given, std::string const& name);
[[nodiscard]] std::vector<std::string> host_names(flags const& given);
[[nodiscard]] std::int64_t capacity(flags const& given);
// 0.001 to 86400.
[[nodiscard]] std::chrono::milliseconds seconds(flags const& given, std::string const& name
	, std::chrono::milliseconds otherwise);
[[nodiscard]] extent window(flags const& given, std::string const& name, extent const& otherwise);
[[nodiscard]] log_level level(flags const& given, log_level otherwise);

} // namespace slipstream::cli
