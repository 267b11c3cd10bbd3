package slipstream

import (
	"sync"

	"slipstream/internal/native"
)

// SettingsPack is settings of libtorrent by name: those that were set, and no others. See libtorrent's reference of settings for
// names and meanings. A Go value; used by one goroutine at a time. A nil pack is an empty one that cannot be filled.
type SettingsPack struct {
	ints  map[string]int
	bools map[string]bool
	strs  map[string]string
}

// NewSettingsPack is a pack in which nothing is set.
func NewSettingsPack() *SettingsPack { return &SettingsPack{} }

var settingTypes sync.Map // name -> type, "" for none

func settingType(name string) string {
	if t, ok := settingTypes.Load(name); ok {
		return t.(string)
	}
	t := native.SettingsType_of(name)
	if t != "" { // names that do not exist are without number
		settingTypes.Store(name, t)
	}
	return t
}

func checkSetting(op, name, want string) error {
	switch have := settingType(name); have {
	case want:
		return nil
	case "":
		return failure(op, CodeUnknownSetting, "libtorrent 2 has no setting %q", name)
	default:
		return failure(op, CodeUnknownSetting, "the setting %q is of type %s, not %s", name, have, want)
	}
}

// check is of a pack that is to be written.
func (p *SettingsPack) check(op, name, want string) error {
	if p == nil {
		return failure(op, CodeBadArgument, "there is no settings pack")
	}
	return checkSetting(op, name, want)
}

// HasSetting says whether libtorrent has a setting of that name. Those that libtorrent 2 removed (cache_size, cache_expiry,
// use_read_cache, ...) are not had.
func HasSetting(name string) bool { return settingType(name) != "" }

// HasSetting is the function HasSetting.
func (p *SettingsPack) HasSetting(name string) bool { return HasSetting(name) }

// SettingNames is the names of all settings.
func SettingNames() []string {
	list := native.SettingsNames()
	defer native.DeleteString_list(list)
	return stringsOf(list)
}

// SetInt sets a number of 32 bits. Errors: ErrUnknownSetting, ErrBadArgument (also for what libtorrent would crash with); nothing is
// set then.
func (p *SettingsPack) SetInt(name string, value int) error {
	if err := p.check("SetInt", name, "int"); err != nil {
		return err
	}
	err := call("SetInt", func(out native.Outcome) {
		s := native.NewSettings()
		defer native.DeleteSettings(s)
		s.Set_int(name, int64(value), out)
	})
	if err != nil {
		return err
	}
	if p.ints == nil {
		p.ints = map[string]int{}
	}
	p.ints[name] = value
	return nil
}

// SetBool sets a truth. Errors: ErrUnknownSetting.
func (p *SettingsPack) SetBool(name string, value bool) error {
	if err := p.check("SetBool", name, "bool"); err != nil {
		return err
	}
	if p.bools == nil {
		p.bools = map[string]bool{}
	}
	p.bools[name] = value
	return nil
}

// SetStr sets a text. Errors: ErrUnknownSetting.
func (p *SettingsPack) SetStr(name, value string) error {
	if err := p.check("SetStr", name, "string"); err != nil {
		return err
	}
	if p.strs == nil {
		p.strs = map[string]string{}
	}
	p.strs[name] = value
	return nil
}

// GetInt is what was set, or else libtorrent's default. Errors: ErrUnknownSetting.
func (p *SettingsPack) GetInt(name string) (value int, err error) {
	err = checkSetting("GetInt", name, "int")
	if v, ok := p.orEmpty().ints[name]; err != nil || ok {
		return v, err
	}
	err = call("GetInt", func(out native.Outcome) {
		s := native.NewSettings()
		defer native.DeleteSettings(s)
		value = int(s.Get_int(name, out))
	})
	return value, err
}

// GetBool is what was set, or else libtorrent's default. Errors: ErrUnknownSetting.
func (p *SettingsPack) GetBool(name string) (value bool, err error) {
	err = checkSetting("GetBool", name, "bool")
	if v, ok := p.orEmpty().bools[name]; err != nil || ok {
		return v, err
	}
	err = call("GetBool", func(out native.Outcome) {
		s := native.NewSettings()
		defer native.DeleteSettings(s)
		value = s.Get_bool(name, out)
	})
	return value, err
}

// GetStr is what was set, or else libtorrent's default. Errors: ErrUnknownSetting.
func (p *SettingsPack) GetStr(name string) (value string, err error) {
	err = checkSetting("GetStr", name, "string")
	if v, ok := p.orEmpty().strs[name]; err != nil || ok {
		return v, err
	}
	err = call("GetStr", func(out native.Outcome) {
		s := native.NewSettings()
		defer native.DeleteSettings(s)
		value = s.Get_str(name, out)
	})
	return value, err
}

// into sets in s what is set here. To be called inside call.
func (p *SettingsPack) into(s native.Settings, out native.Outcome) {
	if p == nil {
		return
	}
	for name, v := range p.ints {
		if s.Set_int(name, int64(v), out); !out.Ok() {
			return
		}
	}
	for name, v := range p.bools {
		if s.Set_bool(name, v, out); !out.Ok() {
			return
		}
	}
	for name, v := range p.strs {
		if s.Set_str(name, v, out); !out.Ok() {
			return
		}
	}
}

// settingsFrom is every setting's value. To be called inside call.
func settingsFrom(s native.Settings, out native.Outcome) *SettingsPack {
	p := NewSettingsPack()
	p.ints, p.bools, p.strs = map[string]int{}, map[string]bool{}, map[string]string{}
	for _, name := range SettingNames() {
		switch settingType(name) {
		case "int":
			p.ints[name] = int(s.Get_int(name, out))
		case "bool":
			p.bools[name] = s.Get_bool(name, out)
		case "string":
			p.strs[name] = s.Get_str(name, out)
		}
	}
	return p
}

func (p *SettingsPack) orEmpty() *SettingsPack {
	if p == nil {
		return &SettingsPack{}
	}
	return p
}

func (p *SettingsPack) clone() *SettingsPack {
	c := NewSettingsPack()
	if p == nil {
		return c
	}
	c.ints, c.bools, c.strs = map[string]int{}, map[string]bool{}, map[string]string{}
	for k, v := range p.ints {
		c.ints[k] = v
	}
	for k, v := range p.bools {
		c.bools[k] = v
	}
	for k, v := range p.strs {
		c.strs[k] = v
	}
	return c
}
