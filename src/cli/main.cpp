// The program `slipstream`.
#include "cli/arguments.hpp"
#include "cli/check.hpp"
#include "cli/demo.hpp"
#include "cli/info.hpp"
#include "cli/log.hpp"
#include "cli/play.hpp"
#include "cli/serve.hpp"

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <malloc.h>

namespace {

using namespace slipstream::cli;

std::optional<std::string> variable(std::string const& name)
{
	char const* const value = std::getenv(name.c_str());
	if (value == nullptr) return std::nullopt;
	return value;
}

int start(farewell const& end)
{
	std::fputs(end.out.c_str(), stdout);
	std::fputs(end.err.c_str(), stderr);
	return end.exit_code;
}

template <typename Settings>
int logged(Settings const& settings, int (*command)(Settings const&))
{
	start_log(settings.log);
	return command(settings);
}

int start(serve_settings const& settings) { return logged(settings, serve); }
int start(play_settings const& settings) { return logged(settings, play); }
int start(info_settings const& settings) { return logged(settings, info); }
int start(check_settings const& settings) { return check(settings); }
int start(demo_settings const& settings) { return logged(settings, demo); }

int run(arguments const& told)
{
	return std::visit([](auto const& command) { return start(command); }, told);
}

} // namespace

int main(int const argc, char** const argv)
{
	// Peers' buffers are large, and come and go: they are to be the system's again when they are
	// freed. glibc by itself raises this bound to the largest that was ever freed, and keeps what
	// is below. And threads that rarely allocate share a heap.
	mallopt(M_MMAP_THRESHOLD, 128 * 1024);
	mallopt(M_ARENA_MAX, 2);
	try
	{
		return run(parse_arguments(std::vector<std::string>(argv + 1, argv + argc), variable));
	}
	catch (std::invalid_argument const& e)
	{
		std::fprintf(stderr, "slipstream: %s\n", e.what());
		return exit_usage;
	}
	catch (std::exception const& e)
	{
		std::fprintf(stderr, "slipstream: %s\n", e.what());
		return exit_failed;
	}
}
