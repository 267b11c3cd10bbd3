// Settings, session params, torrents to add, the session and its torrents.
%{
#include <slipstream_binding/session.hpp>
%}
%include <slipstream_binding/settings.hpp>
%include <slipstream_binding/session.hpp>
