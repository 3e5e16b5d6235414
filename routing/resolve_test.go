package routing

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestBothFormsResolve(t *testing.T) {
	t.Parallel()
	d := NewDirectory(1, family(), nil)
	for given, want := range map[string]Code{
		"H31.51": "H31.51", "000.00.51.H31": "H31.51", " h31.51 ": "H31.51", "000.00.51.h31": "H31.51",
		"000.00.40.H31": "H31.04", // the stored pair, not the mechanical one
		"vxp.saas.03":   "vxp.saas.03", "VXP.SAAS.03": "vxp.saas.03", "02.29.W00": "02.29.W00", "020100107370": "020100107370",
	} {
		if a, err := d.Resolve(given); err != nil || a.Code != want {
			t.Errorf("%s: %s, %v; want %s", given, a.Code, err, want)
		}
	}
}

// Each wrong code: what kind of wrong, what the sentence says, what is proposed first.
func TestWrongCodes(t *testing.T) {
	t.Parallel()
	d := NewDirectory(1, family(), nil)
	for _, c := range []struct {
		given string
		kind  Fault
		vi    string
		first Code
	}{
		{"H54", CodeClosed, "Mã H54 đã đóng từ 01/7/2025 (QĐ 09/2025/QĐ-TTg); đơn vị kế thừa: H31 Hưng Yên", ""},
		{"000.00.00.H54", CodeClosed, "Mã 000.00.00.H54 (H54) đã đóng từ 01/7/2025 (QĐ 09/2025/QĐ-TTg); đơn vị kế thừa: H31 Hưng Yên", ""},
		{"h54", CodeClosed, "Mã H54 đã đóng", ""},
		{"H54.20", CodeClosed, "đơn vị kế thừa: H31.51 phường Phố Hiến (Hưng Yên); H31.52 xã Tân Tiến (Hưng Yên)", ""},
		{"H54.21", CodeClosed, "chưa ghi đơn vị kế thừa", ""},
		{"H54.22", CodeClosed, "đơn vị kế thừa: H31.51 phường Phố Hiến (Hưng Yên)", ""}, // through another closed one, and round
		{"H31.05", CodeLocked, "Mã H31.05 (Sở Công Thương) đang tạm khóa, chưa nhận văn bản (QĐ 1/QĐ-UBND)", ""},
		{"000.00.77.H31", CodeAmbiguous, "ứng với nhiều đơn vị: H31.90 Trường A (Hưng Yên); H31.91 Trường B (Hưng Yên)", "H31.90"},
		{"000.00.04.H31", CodeUnknown, "có phải: H31.04 Sở Tài chính (Hưng Yên)", "H31.04"}, // the mechanical form, only as a hint
		{"000.00.151.H01", CodeUnknown, "Không có mã", "H01.151"},
		{"28.22.H17", CodeUnknown, "có phải: H17.22.28", "H17.22.28"}, // reversed groups
		{"H01.115", CodeUnknown, "có phải: H01.151", "H01.151"},       // two swapped
		{"H0l.151", CodeUnknown, "có phải: H01.151", "H01.151"},       // a letter l
		{"HO1.151", CodeUnknown, "có phải: H01.151", "H01.151"},
		{"H01151", CodeUnknown, "có phải: H01.151", "H01.151"},
		{"H01-151", CodeMalformed, "'-' ở vị trí 4; mã chỉ gồm chữ cái không dấu, chữ số và dấu chấm; có phải: H01.151", "H01.151"},
		{"H01. 151", CodeMalformed, "có phải: H01.151", "H01.151"},
		{"H01.151.99", CodeUnknown, "có phải: H01.151", "H01.151.03"},
		{"H01.777.03", CodeUnknown, "có phải: H01", "H01"},
		{"xã Định Mỹ", CodeMalformed, "có phải: H01.151 xã Định Mỹ (An Giang)", "H01.151"},
		{"Văn phòng Chính phủ", CodeMalformed, "có phải: G22", "G22"},
		{"54.H", CodeUnknown, "Không có mã", ""},
		{"", CodeMalformed, "để trống", ""},
	} {
		_, err := d.Resolve(c.given)
		var e *CodeError
		if !errors.As(err, &e) {
			t.Errorf("%q resolves", c.given)
			continue
		}
		if e.Kind != c.kind || !strings.Contains(e.VI, c.vi) || e.EN == "" {
			t.Errorf("%q: %s: %s | %s", c.given, e.Kind, e.VI, e.EN)
		}
		if c.first != "" && (len(e.Suggestions) == 0 || e.Suggestions[0].Code != c.first) {
			t.Errorf("%q proposes %v, want %s", c.given, codes(e.Suggestions), c.first)
		}
		if len(e.Suggestions) > MaxSuggestions {
			t.Errorf("%q proposes %d", c.given, len(e.Suggestions))
		}
	}
}

func TestSuggestionsCanBeSentTo(t *testing.T) {
	t.Parallel()
	d := NewDirectory(1, family(), nil)
	for _, given := range []string{"H31.0", "H54.2", "02.29.W0", "000.00.20.H5", "H3", "H31.05", "UBND huyện Quỳnh Phụ", "Sở Công Thương"} {
		for _, a := range d.Suggest(given, MaxSuggestions) {
			if !a.Pickable() {
				t.Errorf("%q: %s is %s", given, a.Code, a.Status)
			}
		}
	}
}

// A closed agency without successors proposes the live ones of its name; a stray old code never beats a code.
func TestNamesakesAndStrayOldCodes(t *testing.T) {
	t.Parallel()
	agencies := append(family(),
		Agency{Code: "H54.30", Name: "UBND xã Định Mỹ", Status: Closed},
		Agency{Code: "H01.77", OldCode: "G22", Name: "Kẻ mạo nhận"})
	d := NewDirectory(1, agencies, nil)
	_, err := d.Resolve("H54.30")
	var e *CodeError
	if !errors.As(err, &e) || !slices.Equal(codes(e.Suggestions), []Code{"H01.151"}) || !strings.Contains(e.VI, "có phải: H01.151") {
		t.Errorf("%v", err)
	}
	if a, err := d.Resolve("G22"); err != nil || a.Name != "Văn phòng Chính phủ" {
		t.Errorf("G22: %v, %v", a, err)
	}
}

func TestExpand(t *testing.T) {
	t.Parallel()
	d := NewDirectory(1, family(), []Serving{
		{System: "hub", Code: "H31", Subtree: true, Way: Pull},
		{System: "own", Code: "H31.51", Way: Push},
	})
	rs, faults, doubled := d.Expand([]string{"H31.51", "H01", "000.00.51.H31", "H54", "h31.04", "H99", "H31.51", "G22", "H01"})
	var got []string
	for _, r := range rs {
		got = append(got, r.Given+"="+string(r.Agency.Code)+":"+r.Route.System+"/"+string(r.Route.Way))
	}
	if want := []string{"H31.51=H31.51:own/push", "H01=H01:/", "h31.04=H31.04:hub/pull", "G22=G22:/"}; !slices.Equal(got, want) {
		t.Errorf("recipients %v, want %v", got, want)
	}
	if rs[1].Connected || !rs[0].Connected {
		t.Error("connected")
	}
	if len(faults) != 2 || faults[0].Kind != CodeClosed || faults[1].Given != "H99" {
		t.Errorf("faults %v", faults)
	}
	if len(doubled) != 2 || !slices.Equal(doubled[0].Given, []string{"H31.51", "000.00.51.H31", "H31.51"}) || doubled[1].Agency.Code != "H01" {
		t.Errorf("doubled %v", doubled)
	}
	if want := "H31.51 phường Phố Hiến (Hưng Yên) được ghi 3 lần (H31.51, 000.00.51.H31, H31.51); chỉ gửi một lần"; doubled[0].VI != want {
		t.Errorf("%s, want %s", doubled[0].VI, want)
	}
}

func TestExpandOfManyWrongCodesIsBounded(t *testing.T) {
	t.Parallel()
	d := NewDirectory(1, family(), nil)
	given := make([]string, 30000)
	for i := range given {
		given[i] = "H01.152"
	}
	_, faults, _ := d.Expand(given)
	if len(faults) != len(given) || len(faults[0].Suggestions) == 0 || len(faults[29999].Suggestions) != 0 {
		t.Errorf("%d faults", len(faults))
	}
}

func TestRoutes(t *testing.T) {
	t.Parallel()
	d := NewDirectory(1, family(), []Serving{
		{System: "province", Code: "H01", Subtree: true, Way: Pull},
		{System: "box", Code: "H01.151", Way: Mailbox},
		{System: "box2", Code: "H01.151", Subtree: true, Way: Mailbox},
		{System: "late", Code: "H01", Subtree: true, Way: Push}, // the first one leads
		{System: "nobody", Code: "H77", Subtree: true, Way: Push},
		{System: "only", Code: "G22", Way: Push},
	})
	for code, want := range map[Code]Route{
		"H01":        {"province", Pull, "H01", true},
		"H01.04":     {"province", Pull, "H01", true},
		"H01.151":    {"box", Mailbox, "H01.151", false},
		"H01.151.03": {"box2", Mailbox, "H01.151", true},
		"G22":        {"only", Push, "G22", false},
		"H31":        {},
		"H77":        {},
	} {
		got, ok := d.Route(code)
		if got != want || ok != (want != Route{}) {
			t.Errorf("%s: %+v, %v", code, got, ok)
		}
		if ok && (!d.Serves(want.System, code) || d.Serves("late", code)) {
			t.Errorf("%s: serves", code)
		}
	}
	if got := d.ServedBy("province"); !slices.Equal(got, []Code{"H01", "H01.04", "H01.06", "H01.100", "H01.DN.001"}) {
		t.Errorf("%v", got)
	}
}

func TestManages(t *testing.T) {
	t.Parallel()
	agencies := family()
	for i := range agencies {
		if agencies[i].Code == "H01.04" {
			agencies[i].Status = Closed // a closed entry is still in somebody's care
		}
	}
	d := NewDirectory(1, agencies, []Serving{
		{System: "province", Code: "H01", Subtree: true, Way: Pull},
		{System: "own", Code: "H01.100", Way: Pull},
		{System: "commune", Code: "H01.151", Subtree: true, Way: Pull},
		{System: "only", Code: "G22", Way: Push},
	})
	for code, want := range map[Code]string{"H01": "province", "H01.04": "province", "H01.100": "province", "H01.151": "commune",
		"H01.151.03": "commune", "G22": "", "H31": "", "H77": ""} {
		for _, system := range []string{"province", "own", "commune", "only"} {
			if got := d.Manages(system, code); got != (system == want) {
				t.Errorf("%s manages %s: %v", system, code, got)
			}
		}
	}
}

func TestParseServing(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{"h29.12": "H29.12", "H29.12.*": "H29.12.*", " vxp.saas.03.* ": "vxp.saas.03.*", "*": "", ".*": "", "H29.*.*": ""} {
		code, subtree, err := ParseServing(given)
		if want == "" {
			if err == nil {
				t.Errorf("%q is taken", given)
			}
			continue
		}
		if got := (Serving{Code: code, Subtree: subtree}).String(); err != nil || got != want {
			t.Errorf("%q: %s, %v", given, got, err)
		}
	}
}
