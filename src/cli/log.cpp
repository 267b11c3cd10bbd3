#include "cli/log.hpp"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>

namespace slipstream::cli {
namespace {

spdlog::level::level_enum level_of(log_level const level)
{
	switch (level)
	{
		case log_level::trace: return spdlog::level::trace;
		case log_level::debug: return spdlog::level::debug;
		case log_level::info: return spdlog::level::info;
		case log_level::warn: return spdlog::level::warn;
		case log_level::error: return spdlog::level::err;
		case log_level::off: break;
	}
	return spdlog::level::off;
}

} // namespace

void start_log(log_level const level)
{
	auto const logger = std::make_shared<spdlog::logger>("slipstream"
		, std::make_shared<spdlog::sinks::stderr_sink_mt>());
	logger->set_level(level_of(level));
	logger->set_pattern("%Y-%m-%d %H:%M:%S.%e %l %v");
	logger->flush_on(spdlog::level::trace);
	spdlog::set_default_logger(logger);
}

} // namespace slipstream::cli
