package routing

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

const full = 125_000 // R54

// many makes n agencies with names as in life: provinces, departments with divisions, communes with bodies; each with its
// own strings, as a database gives them.
func many(n int) []Agency {
	r := rand.New(rand.NewPCG(1, 2))
	syllables := []string{"An", "Bình", "Châu", "Định", "Đông", "Gia", "Hòa", "Hưng", "Khánh", "Lộc", "Mỹ", "Nam", "Phú", "Phước", "Quang", "Sơn", "Tân", "Tây", "Thạnh", "Tiến", "Vĩnh", "Xuân"}
	bodies := []string{"Văn phòng HĐND và UBND", "Phòng Kinh tế", "Phòng Văn hóa – Xã hội", "Trung tâm Phục vụ hành chính công", "Trung tâm Dịch vụ tổng hợp", "Trường Tiểu học", "Trạm Y tế", "Chi cục Thủy lợi", "Sở Nông nghiệp và Môi trường", "Sở Giáo dục và Đào tạo"}
	name := func(head string) string {
		return head + " " + syllables[r.IntN(len(syllables))] + " " + syllables[r.IntN(len(syllables))]
	}
	var out []Agency
	add := func(code Code, name string, parent Code) {
		a := Agency{Code: code, Name: name, Parent: Code(string(append([]byte(nil), parent...))), Kind: strings.Clone("UBND"), Status: Live, Decision: strings.Clone("QĐ 09/2025/QĐ-TTg"), CodeSource: strings.Clone("synthetic"), ValidFrom: time.Unix(0, 0)}
		a.OldCode, _ = code.Equivalent()
		out = append(out, a)
	}
	for p := 1; p <= 34; p++ {
		province := Code(fmt.Sprintf("H%02d", p))
		add(province, name("UBND tỉnh"), "")
		for c := 1; len(out) < n*p/34; c++ {
			commune := Code(fmt.Sprintf("%s.%d", province, 50+c))
			add(commune, name("UBND xã"), province)
			for b := 1; b <= 12 && len(out) < n*p/34; b++ {
				add(Code(fmt.Sprintf("%s.%02d", commune, b)), bodies[r.IntN(len(bodies))], commune)
			}
		}
	}
	return out
}

// The figures of issue 5, line 2. Memory is held here, times are in the benchmarks: a test must not depend on its neighbours.
func TestSizeOfAFullDirectory(t *testing.T) {
	if testing.Short() {
		t.Skip("builds 125,000 agencies")
	}
	before := heap()
	agencies := many(full)
	d := NewDirectory(1, agencies, nil)
	agencies = nil
	used := heap() - before
	if d.Len() != full || used > 80<<20 {
		t.Errorf("%d agencies take %d MB, more than 80", d.Len(), used>>20)
	}
	t.Logf("%d agencies: %d MB", d.Len(), used>>20)
	runtime.KeepAlive(d)
}

func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func BenchmarkNewDirectory125k(b *testing.B) {
	agencies := many(full)
	b.ReportAllocs()
	for b.Loop() {
		NewDirectory(1, agencies, []Serving{{System: "s", Code: "H01", Subtree: true}})
	}
}

func BenchmarkResolve125k(b *testing.B) {
	agencies := many(full)
	d := NewDirectory(1, agencies, nil)
	r := rand.New(rand.NewPCG(3, 4))
	given := make([]string, 4096)
	for i := range given {
		a := agencies[r.IntN(len(agencies))]
		given[i] = string(a.Code)
		if a.OldCode != "" && i%2 == 0 {
			given[i] = string(a.OldCode)
		}
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if _, err := d.Resolve(given[i%len(given)]); err != nil {
			b.Fatal(err)
		}
		i++
	}
}

func BenchmarkResolveWrong125k(b *testing.B) {
	d := NewDirectory(1, many(full), nil)
	for b.Loop() {
		if _, err := d.Resolve("H01.5l.O3"); err == nil {
			b.Fatal("resolved")
		}
	}
}

func BenchmarkExpand30k(b *testing.B) {
	agencies := many(full)
	d := NewDirectory(1, agencies, []Serving{{System: "s", Code: "H01", Subtree: true}})
	given := make([]string, 30_000)
	for i := range given {
		given[i] = string(agencies[i*4].Code)
	}
	b.ReportAllocs()
	for b.Loop() {
		if rs, _, _ := d.Expand(given); len(rs) != len(given) {
			b.Fatal(len(rs))
		}
	}
}

func BenchmarkSearch125k(b *testing.B) {
	d := NewDirectory(1, many(full), nil)
	queries := []string{"dinh my an giang", "u", "ubnd xa", "phong", "phong kinh te tan tien", "H01.151", "sở nn&mt", "trung tam phuc vu hanh chinh cong dinh my", "tr", "khong co gi ca", "ubnd tinh", "Định Mỹ", "h", "s n"}
	var took []time.Duration
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		start := time.Now()
		d.Search(queries[i%len(queries)], 20)
		took = append(took, time.Since(start))
		i++
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)*95/100].Microseconds()), "p95-µs")
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
}

func BenchmarkSubtree125k(b *testing.B) {
	d := NewDirectory(1, many(full), nil)
	for b.Loop() {
		d.Subtree("H07")
	}
}
