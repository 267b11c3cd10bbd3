// The program `slipstream`.
#include "cli/arguments.hpp"
#include "cli/demo.hpp"
#include "cli/log.hpp"
#include "cli/serve.hpp"

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using namespace slipstream::cli;

std::optional<std::string> variable(std::string const& name)
{
	char const* const value = std::getenv(name.c_str());
	if (value == nullptr) return std::nullopt;
	return value;
}

int run(arguments const& told)
{
	if (auto const* const end = std::get_if<farewell>(&told))
	{
		std::fputs(end->out.c_str(), stdout);
		std::fputs(end->err.c_str(), stderr);
		return end->exit_code;
	}
	if (auto const* const settings = std::get_if<serve_settings>(&told))
	{
		start_log(settings->log);
		return serve(*settings);
	}
	auto const& settings = std::get<demo_settings>(told);
	start_log(settings.log);
	return demo(settings);
}

} // namespace

int main(int const argc, char** const argv)
{
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
