package slipstream

import "encoding/hex"

// InfoHash names a torrent: by its v1 hash (SHA-1), its v2 hash (SHA-256), or both. A value; comparable, fit for map keys.
type InfoHash struct {
	v1    [20]byte
	v2    [32]byte
	hasV1 bool
	hasV2 bool
}

// ParseInfoHash takes hex digits: 40 for v1, 64 for v2.
func ParseInfoHash(text string) (InfoHash, error) {
	raw, err := hex.DecodeString(text)
	if err != nil || (len(raw) != 20 && len(raw) != 32) {
		return InfoHash{}, failure("ParseInfoHash", CodeBadArgument, "%q is neither 40 hex digits (v1) nor 64 (v2)", text)
	}
	if len(raw) == 20 {
		return hashFrom(string(raw), ""), nil
	}
	return hashFrom("", string(raw)), nil
}

// NewInfoHashV1 is a v1 hash.
func NewInfoHashV1(hash [20]byte) InfoHash { return InfoHash{v1: hash, hasV1: true} }

// NewInfoHashV2 is a v2 hash.
func NewInfoHashV2(hash [32]byte) InfoHash { return InfoHash{v2: hash, hasV2: true} }

func hashFrom(v1, v2 string) (h InfoHash) {
	h.hasV1 = copy(h.v1[:], v1) == len(h.v1)
	h.hasV2 = copy(h.v2[:], v2) == len(h.v2)
	return h
}

func (h InfoHash) raw() (v1, v2 string) {
	if h.hasV1 {
		v1 = string(h.v1[:])
	}
	if h.hasV2 {
		v2 = string(h.v2[:])
	}
	return v1, v2
}

// HasV1 says whether there is a v1 hash.
func (h InfoHash) HasV1() bool { return h.hasV1 }

// HasV2 says whether there is a v2 hash.
func (h InfoHash) HasV2() bool { return h.hasV2 }

// IsZero says whether it names nothing.
func (h InfoHash) IsZero() bool { return !h.hasV1 && !h.hasV2 }

// V1Hex is the v1 hash in 40 lower-case hex digits, or "".
func (h InfoHash) V1Hex() string {
	if !h.hasV1 {
		return ""
	}
	return hex.EncodeToString(h.v1[:])
}

// V2Hex is the v2 hash in 64 lower-case hex digits, or "".
func (h InfoHash) V2Hex() string {
	if !h.hasV2 {
		return ""
	}
	return hex.EncodeToString(h.v2[:])
}

// ToString is the v1 hash in hex where there is one, else the v2 hash: what Slipstream's URLs carry.
func (h InfoHash) ToString() string {
	if h.hasV1 {
		return h.V1Hex()
	}
	return h.V2Hex()
}

// String is ToString.
func (h InfoHash) String() string { return h.ToString() }

// SameTorrent says whether they have a hash in common.
func (h InfoHash) SameTorrent(other InfoHash) bool {
	return (h.hasV1 && other.hasV1 && h.v1 == other.v1) || (h.hasV2 && other.hasV2 && h.v2 == other.v2)
}
