// What libtorrent tells: status of torrents, files, peers, trackers, and alerts, all as copies.
%{
#include <slipstream_binding/records.hpp>
%}
%immutable;
%include <slipstream_binding/records.hpp>
%mutable;
%template(torrent_list) std::vector<slipstream::binding::torrent_record>;
%template(peer_list) std::vector<slipstream::binding::peer_record>;
%template(file_list) std::vector<slipstream::binding::file_record>;
%template(tracker_list) std::vector<slipstream::binding::tracker_record>;
