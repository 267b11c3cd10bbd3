#include "trace.hpp"

#include <map>
#include <sstream>
#include <stdexcept>
#include <utility>

namespace slipstream::bench {

namespace {

struct open_reader
{
	std::uint64_t torrent = 0;
	int pieces = 0;
};

using open_readers = std::map<int, open_reader>;

[[noreturn]] void refuse(std::string const& why) { throw std::runtime_error(why); }

int number(std::istringstream& words, char const* const what)
{
	int n = -1;
	if (!(words >> n) || n < 0) refuse(std::string("no ") + what);
	return n;
}

event parse_line(std::string const& line, open_readers& open)
{
	std::istringstream words(line);
	std::string first;
	words >> first;
	event e;
	if (first == "open") e.what = event::kind::open;
	else if (first == "seek") e.what = event::kind::seek;
	else if (first == "close") e.what = event::kind::close;
	else words = std::istringstream(line);
	e.reader = number(words, "reader");

	if (e.what == event::kind::open)
	{
		e.at.torrent = std::uint64_t(number(words, "torrent"));
		e.pieces = number(words, "number of pieces");
		if (!open.try_emplace(e.reader, open_reader{e.at.torrent, e.pieces}).second) refuse("the reader is open");
	}
	else
	{
		auto const r = open.find(e.reader);
		if (r == open.end()) refuse("the reader is not open");
		e.at.torrent = r->second.torrent;
		if (e.what == event::kind::close) open.erase(r);
		else if ((e.at.piece = number(words, "piece")) >= r->second.pieces) refuse("the torrent has no such piece");
	}
	std::string rest;
	if (words >> rest) refuse("more than belongs there: " + rest);
	return e;
}

} // namespace

trace parse_trace(std::string name, std::string const& text)
{
	trace t;
	t.name = std::move(name);
	open_readers open;
	std::istringstream lines(text);
	int n = 0;
	for (std::string line; std::getline(lines, line);)
	{
		++n;
		if (line.empty() || line.front() == '#') continue;
		try
		{
			t.events.push_back(parse_line(line, open));
		}
		catch (std::runtime_error const& e)
		{
			throw std::runtime_error(t.name + ':' + std::to_string(n) + ": " + e.what());
		}
	}
	return t;
}

std::string trace_text(trace const& t, std::string const& comment)
{
	std::string text = "# " + comment + '\n';
	for (event const& e : t.events)
	{
		auto const reader = std::to_string(e.reader);
		switch (e.what)
		{
		case event::kind::open:
			text += "open " + reader + ' ' + std::to_string(e.at.torrent) + ' ' + std::to_string(e.pieces);
			break;
		case event::kind::read: text += reader + ' ' + std::to_string(e.at.piece); break;
		case event::kind::seek: text += "seek " + reader + ' ' + std::to_string(e.at.piece); break;
		case event::kind::close: text += "close " + reader; break;
		}
		text += '\n';
	}
	return text;
}

std::vector<piece_key> reads_of(trace const& t)
{
	std::vector<piece_key> reads;
	for (event const& e : t.events) if (e.what == event::kind::read) reads.push_back(e.at);
	return reads;
}

} // namespace slipstream::bench
