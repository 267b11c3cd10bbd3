// A seeder for tests in other languages: makes files of noise, and seeds them on loopback until its standard input ends.
//
//   binding_seeder [v1|v2|hybrid] PIECE_LENGTH LIMIT_BYTES_S NAME:SIZE...
//
// It prints, a line each: "torrent PATH", "magnet URI", "folder PATH" (where the files are), "peer ADDR:PORT".
#include "support/swarm.hpp"

#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string>

namespace test = slipstream::test;

int main(int const argc, char** const argv)
try
{
	if (argc < 5)
	{
		std::cerr << "usage: binding_seeder v1|v2|hybrid PIECE_LENGTH LIMIT_BYTES_S NAME:SIZE...\n";
		return 2;
	}
	std::string const kind_name = argv[1];
	auto const kind = kind_name == "v1" ? test::torrent_kind::v1 : kind_name == "v2" ? test::torrent_kind::v2 : test::torrent_kind::hybrid;
	std::vector<test::file_spec> files;
	for (int i = 4; i < argc; ++i)
	{
		std::string const spec = argv[i];
		auto const colon = spec.rfind(':');
		files.push_back({spec.substr(0, colon), std::stoll(spec.substr(colon + 1))});
	}
	test::shared_files const shared("film.bin", files, kind, std::atoi(argv[2]));
	test::seeder_options options;
	options.upload_limit_bytes_s = std::atoi(argv[3]);
	options.close_redundant_connections = false;
	test::seeder const seeder(shared, options);
	std::cout << "torrent " << shared.write_torrent_file().string() << "\nmagnet " << shared.magnet() << "\nfolder "
		<< shared.folder().string() << "\npeer " << seeder.endpoint().address().to_string() << ':' << seeder.endpoint().port() << std::endl;
	while (std::getchar() != EOF) {}
	return 0;
}
catch (std::exception const& e)
{
	std::cerr << "binding_seeder: " << e.what() << '\n';
	return 1;
}
