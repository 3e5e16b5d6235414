package routing

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"
)

func read(t *testing.T, text string, base ...*Directory) ([]Agency, []RowFault) {
	t.Helper()
	agencies, faults, err := ReadCSV(strings.NewReader(text), base...)
	if err != nil {
		t.Fatal(err)
	}
	if len(faults) > 0 && agencies != nil {
		t.Error("agencies beside faults")
	}
	return agencies, faults
}

func TestReadCSV(t *testing.T) {
	t.Parallel()
	agencies, faults := read(t, "\ufeffname,code,old_code,parent,kind,status,valid_from,valid_to,successors,decision,code_source\r\n"+
		"UBND tỉnh Hưng Yên,h31,000.00.00.H31,,UBND cấp tỉnh,live,2020-09-15,,,QĐ 20/2020/QĐ-TTg,law\r\n"+
		"\r\n"+
		",,,,,,,,,,\r\n"+
		"\"UBND tỉnh Tha\u0301i Bi\u0300nh\",H54,000.00.00.H54,,UBND cấp tỉnh,Closed,15/9/2020,01/07/2025,H31  H31.51,\"QĐ 09/2025/QĐ-TTg, Điều 1\",law\r\n"+
		"Phường Phố Hiến,H31.51,,H31,,,,,,,\r\n")
	if len(faults) > 0 || len(agencies) != 3 {
		t.Fatalf("%v, %v", agencies, faults)
	}
	a := agencies[1]
	if agencies[0].Code != "H31" || a.Name != "UBND tỉnh Thái Bình" || a.Status != Closed || day(a.ValidFrom) != "15/9/2020" || day(a.ValidTo) != "01/7/2025" ||
		!slices.Equal(a.Successors, []Code{"H31", "H31.51"}) || a.Decision != "QĐ 09/2025/QĐ-TTg, Điều 1" {
		t.Errorf("%+v", a)
	}
	if b := agencies[2]; b.Status != Live || b.Parent != "H31" || b.Successors != nil {
		t.Errorf("%+v", b)
	}
}

func TestShortestFileAndOtherSeparators(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"code,name\nH01,An Giang", "code;name\nH01;\"An Giang\"\n", "name\tcode\nAn Giang\tH01\n", " Code , NAME \nH01,An Giang\n"} {
		agencies, faults := read(t, text)
		if len(faults) > 0 || len(agencies) != 1 || agencies[0].Code != "H01" || agencies[0].Name != "An Giang" {
			t.Errorf("%q: %v, %v", text, agencies, faults)
		}
	}
}

// Every fault with its row and column.
func TestFaultsOfAFile(t *testing.T) {
	t.Parallel()
	const h = "code,old_code,name,parent,kind,status,valid_from,valid_to,successors,decision,code_source\n"
	const root = "H01,,An Giang,,,,,,,,\n"
	for name, c := range map[string]struct{ text, want string }{
		"empty":             {"", "0::empty_file"},
		"only BOM":          {"\ufeff", "0::empty_file"},
		"xlsx":              {"PK\x03\x04rest", "0::not_csv"},
		"utf-16":            {"\xff\xfec\x00o\x00", "0::not_csv"},
		"no name":           {"code\nH01\n", "1:name:missing_column"},
		"misspelt column":   {"code,name,succesors\nH01,A,H02\n", "1:column 3:unknown_column"},
		"column twice":      {"code,name,name\n", "1:name:double_column"},
		"few cells":         {h + root + "H02,B\n", "3::cells"},
		"quote":             {h + root + "H02,,\"B\"x,,,,,,,,\nH03\n", "3::quote 4::cells"},
		"windows-1258":      {h + "H01,,S\xf4ng,,,,,,,,\n", "2:name:encoding"},
		"line break":        {h + "H01,,\"An\nGiang\",,,,,,,,\n", "2:name:control"},
		"NUL":               {h + "H01,,An\x00Giang,,,,,,,,\n", "2:name:control"},
		"formula":           {h + "H01,,\"=HYPERLINK(\"\"http://x\"\")\",,,,,,,,\n", "2:name:formula"},
		"no code, no name":  {h + root + ",,,H01,,,,,,,\n", "3:code:missing 3:name:missing"},
		"bad codes":         {h + root + "H-2,000.00,B,H 1,,,,,H01 H_3,,\n", "3:code:malformed_code 3:parent:malformed_code 3:successors:malformed_code"},
		"long name":         {h + "H01,," + strings.Repeat("ệ", 201) + ",,,,,,,,\n", "2:name:too_long"},
		"status":            {h + "H01,,A,,,dead,,,,,\n", "2:status:bad_status"},
		"dates":             {h + "H01,,A,,,,2025-13-01,31/02/2025,,,\n", "2:valid_from:bad_date 2:valid_to:bad_date"},
		"dates in disorder": {h + "H01,,A,,,,2025-07-01,2025-07-01,,,\n", "2:valid_to:date_order"},
		"code twice":        {h + root + root + "h01,,B,,,,,,,,\n", "3:code:duplicate_code 4:code:duplicate_code"},
		"old code twice":    {h + "H01,000.00.00.H01,A,,,,,,,,\nH02,000.00.00.H01,B,,,,,,,,\n", "3:old_code:duplicate_old"},
		"old is a code":     {h + root + "H02,H01,B,,,,,,,,\n", "3:old_code:duplicate_old"},
		"orphan":            {h + root + "H02.01,,B,H02,,,,,,,\n", "3:parent:orphan"},
		"child of a faulty": {h + "H02,,B,,,dead,,,,,\nH02.01,,C,H02,,,,,,,\n", "2:status:bad_status"},
		"own parent":        {h + "H01,,A,H01,,,,,,,\n", "2:parent:cycle"},
		"circle":            {h + root + "H02,,B,H04,,,,,,,\nH03,,C,H02,,,,,,,\nH04,,D,H03,,,,,,,\nH05,,E,H04,,,,,,,\n", "3:parent:cycle"},
		"lost successor":    {h + "H01,,A,,,closed,,,H09,,\n", "2:successors:unknown_successor"},
		"successor circle":  {h + "H01,,A,,,closed,,,H02,,\nH02,,B,,,closed,,,H01,,\n", "2:successors:successor_cycle"},
		"too many heirs":    {h + "H01,,A,,,closed,,," + strings.Repeat("H01 ", 51) + ",,\n", "2:successors:too_many"},
	} {
		_, faults := read(t, c.text)
		var got []string
		for _, f := range faults {
			got = append(got, fmt.Sprintf("%d:%s:%s", f.Row, f.Column, f.Code))
			if f.VI == "" || f.EN == "" || strings.Contains(f.VI+f.EN, "%s") || f.String() == "" {
				t.Errorf("%s: %+v", name, f)
			}
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %v, want %s", name, got, c.want)
		}
	}
}

func TestEveryFaultWordHasBothSentences(t *testing.T) {
	t.Parallel()
	for _, w := range FaultWords() {
		if f := newFault(1, "", "", w, "x"); f.VI == "" || f.EN == "" {
			t.Errorf("%s", w)
		}
	}
}

// A file that updates a directory: parents and successors may be there, rows replace by code, circles through it are seen.
func TestReadCSVOverABase(t *testing.T) {
	t.Parallel()
	base := NewDirectory(1, family(), nil)
	agencies, faults := read(t, "code,name,parent,successors,status\nH01.53,Xã mới,H01,,live\nH54.21,Huyện,H54,H31.52,closed\n", base)
	if len(faults) > 0 || len(agencies) != 2 {
		t.Errorf("%v, %v", agencies, faults)
	}
	for text, want := range map[string]string{
		"code,name,parent\nH01,An Giang,H01.151.03\n":                  "2:parent:cycle",
		"code,name,old_code\nH01.53,Xã mới,000.00.51.H31\n":            "2:old_code:duplicate_old",
		"code,name,old_code\nH01.53,Xã mới,H31.51\n":                   "2:old_code:duplicate_old",
		"code,name,old_code\nH31.51,Phường,000.00.51.H31\n":            "",
		"code,name,old_code\nH31.51,P,\nH01.53,Xã mới,000.00.51.H31\n": "", // moved within one file
		"code,name,successors,status\nH31,Hưng Yên,H54,closed\n":       "2:successors:successor_cycle",
		"code,name,parent\nH77.01,Sở,H77\n":                            "2:parent:orphan",
	} {
		_, faults := read(t, text, base)
		got := ""
		for _, f := range faults {
			got += fmt.Sprintf("%d:%s:%s", f.Row, f.Column, f.Code)
		}
		if got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

func TestFaultsAreListedUpToAThousand(t *testing.T) {
	t.Parallel()
	_, faults := read(t, "code,name\n"+strings.Repeat("H-1,\n", 5000))
	if len(faults) != MaxFaults || faults[0].Row != 2 || faults[999].Row != 501 {
		t.Errorf("%d faults, the last %v", len(faults), faults[len(faults)-1])
	}
}

// endless is a file that does not end.
type endless struct{ n int64 }

func (e *endless) Read(p []byte) (int, error) {
	n := copy(p, "code,name\n")
	if e.n > 0 {
		n = copy(p, ","+strings.Repeat(" ", max(len(p)-2, 0))+"\n") // a blank row
	}
	e.n += int64(n)
	return n, nil
}

func TestSizesAreBounded(t *testing.T) {
	t.Parallel()
	e := &endless{}
	_, faults, err := ReadCSV(e)
	if err != nil || len(faults) != 1 || faults[0].Code != "too_large" || e.n > MaxCSVBytes+1<<20 {
		t.Errorf("%v, %v, %d bytes read", faults, err, e.n)
	}
	rows := 0
	_, faults, err = ReadTable(func() (int, []string, error) {
		rows++
		if rows == 1 {
			return 1, []string{"code", "name"}, nil
		}
		return rows, []string{"", ""}, nil
	})
	if err != nil || len(faults) != 1 || faults[0].Code != "too_many_rows" || rows != MaxCSVRows+2 {
		t.Errorf("%v, %v, %d rows", faults, err, rows)
	}
}

func TestAReaderThatFails(t *testing.T) {
	t.Parallel()
	_, faults, err := ReadCSV(io.MultiReader(strings.NewReader("code,name\nH01,A\n"), iotest.ErrReader(io.ErrUnexpectedEOF)))
	if err == nil || faults != nil {
		t.Errorf("%v, %v", faults, err)
	}
}

// A chain as deep as the file is long must neither end the process nor take for ever.
func TestADeepChain(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("code,name,parent\nX0,root,\n")
	for i := 1; i < 50_000; i++ {
		fmt.Fprintf(&b, "X%d,x,X%d\n", i, i-1)
	}
	agencies, faults := read(t, b.String())
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	d := NewDirectory(1, agencies, nil)
	if len(d.Subtree("X0")) != 50_000 || len(d.Path("X49999")) != 50_000 || len(d.Label("X49999")) > 100 {
		t.Error("the chain is broken")
	}
	d.Search("root", 5)
}

func TestWriteReadsBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := slices.Collect(NewDirectory(1, drawn(t), nil).All())
		old := map[Code]bool{}
		for i := range want {
			if want[i].OldCode != "" && old[want[i].OldCode] {
				want[i].OldCode = ""
			}
			old[want[i].OldCode] = true
			want[i].Name = rapid.StringMatching(`[A-ZĐÔƯa-zệ"]([ ,;"a-zđưệ]{0,20}[a-z"])?`).Draw(t, "name")
			want[i].Decision = rapid.SampledFrom([]string{"", "QĐ 09/2025/QĐ-TTg", `"quoted", with comma`}).Draw(t, "decision")
		}
		var b bytes.Buffer
		if err := WriteCSV(&b, slices.Values(want)); err != nil {
			t.Fatal(err)
		}
		got, faults, err := ReadCSV(&b)
		if err != nil || len(faults) > 0 || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("%v\n%v\n%v %v", got, want, faults, err)
		}
	})
}

func TestAWriterThatFails(t *testing.T) {
	t.Parallel()
	r, w := io.Pipe()
	r.CloseWithError(io.ErrClosedPipe)
	if err := WriteCSV(w, slices.Values(family())); err == nil {
		t.Error("no error")
	}
}

func FuzzReadCSV(f *testing.F) {
	f.Add([]byte("code,old_code,name,parent,kind,status,valid_from,valid_to,successors,decision,code_source\nH31,000.00.00.H31,Hưng Yên,,,live,2020-09-15,,,QĐ,law\nH54,,Thái Bình,,,closed,,01/07/2025,H31,,\n"))
	f.Add([]byte("\ufeffcode;name\nH01;\"An\nGiang\"\n"))
	f.Add([]byte("code,name,parent\nH01,A,H02\nH02,B,H01\n"))
	f.Add([]byte("code,name\nH01,=1+1\nH01,\xff\nH01\n\"H\"1,x\n"))
	f.Add([]byte("PK\x03\x04"))
	base := NewDirectory(1, family(), nil)
	f.Fuzz(func(t *testing.T, raw []byte) {
		agencies, faults, err := ReadCSV(bytes.NewReader(raw))
		if err != nil {
			t.Fatalf("%q: %v", raw, err)
		}
		if len(faults) > MaxFaults || len(faults) > 0 && agencies != nil {
			t.Fatalf("%q: %d faults", raw, len(faults))
		}
		for _, f := range faults {
			if f.VI == "" || f.EN == "" || len(f.Value) > 300 {
				t.Fatalf("%q: %+v", raw, f)
			}
		}
		ReadCSV(bytes.NewReader(raw), base)
		if len(faults) > 0 {
			return
		}
		var b bytes.Buffer
		if err := WriteCSV(&b, slices.Values(agencies)); err != nil {
			t.Fatal(err)
		}
		again, faults, err := ReadCSV(&b)
		if err != nil || len(faults) > 0 || len(again) != len(agencies) {
			t.Fatalf("%q: written and read again: %v, %v", raw, faults, err)
		}
		NewDirectory(1, agencies, nil).Search("a", 3)
	})
}

func BenchmarkReadCSV125k(b *testing.B) {
	var file bytes.Buffer
	agencies := many(full)
	rand.New(rand.NewPCG(5, 6)).Shuffle(len(agencies), func(i, j int) { agencies[i], agencies[j] = agencies[j], agencies[i] })
	if err := WriteCSV(&file, slices.Values(agencies)); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(file.Len()))
	b.ReportAllocs()
	for b.Loop() {
		got, faults, err := ReadCSV(bytes.NewReader(file.Bytes()))
		if err != nil || len(faults) > 0 || len(got) != len(agencies) {
			b.Fatal(len(got), faults, err)
		}
	}
}
