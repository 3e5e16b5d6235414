package testpki

import (
	"bytes"
	_ "embed"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/go-pdf/fpdf"
)

// Document is what a PDF shows. Empty fields get plausible values.
type Document struct {
	Parent     string // superior agency, top left: "ỦY BAN NHÂN DÂN TỈNH …"
	Agency     string // issuing agency
	Number     string // "123/UBND-VP"
	Place      string
	Date       time.Time // 21/11/2026 when zero
	Type       string    // "CÔNG ĐIỆN"; "" for a công văn, which bears none
	Subject    string    // trích yếu
	To         []string
	Paragraphs []string
	Position   string // "CHỦ TỊCH"
	Signer     string
	Size       int // bytes: padded up to it with one unreferenced object; 0: as it comes
}

//go:embed fonts/BeVietnamPro_400Regular.ttf
var regularTTF []byte

//go:embed fonts/BeVietnamPro_700Bold.ttf
var boldTTF []byte

// PDF makes the document in the form of Decree 30/2020, Appendix I: one A4 page or more, PDF 1.7, Vietnamese text set in
// an embedded font, and a line that says TEST on every page.
func PDF(d Document) ([]byte, error) {
	d = d.filled()
	p := fpdf.New("P", "mm", "A4", "")
	p.SetCatalogSort(true)
	p.SetCreationDate(d.Date)
	p.SetModificationDate(d.Date)
	p.SetTitle(d.Subject, true)
	p.SetMargins(30, 20, 15)
	p.SetAutoPageBreak(true, 20)
	p.AddUTF8FontFromBytes("vn", "", regularTTF)
	p.AddUTF8FontFromBytes("vn", "B", boldTTF)
	p.SetFooterFunc(func() { footer(p) })
	p.AddPage()
	head(p, d)
	body(p, d)
	foot(p, d)
	var out bytes.Buffer
	if err := p.Output(&out); err != nil {
		return nil, fmt.Errorf("make PDF: %w", err)
	}
	pdf := out.Bytes()
	copy(pdf, "%PDF-1.7") // fpdf says 1.3, below what Decree 30/2020 asks for; nothing else differs
	if d.Size > len(pdf) {
		return pad(pdf, d.Size)
	}
	return pdf, nil
}

func (d Document) filled() Document {
	d.Parent = orText(d.Parent, "ỦY BAN NHÂN DÂN TỈNH THỬ NGHIỆM")
	d.Agency = orText(d.Agency, "SỞ THỬ NGHIỆM")
	d.Number = orText(d.Number, "123/STN-VP")
	d.Place = orText(d.Place, "Hà Nội")
	d.Date = orTime(d.Date, time.Date(2026, 11, 21, 1, 0, 0, 0, time.UTC))
	d.Subject = orText(d.Subject, "V/v thử nghiệm liên thông văn bản điện tử")
	d.Position = orText(d.Position, "GIÁM ĐỐC")
	d.Signer = orText(d.Signer, "Nguyễn Văn Thử")
	if len(d.To) == 0 {
		d.To = []string{"Các cơ quan, đơn vị thử nghiệm"}
	}
	if len(d.Paragraphs) == 0 {
		d.Paragraphs = []string{
			"Thực hiện kế hoạch thử nghiệm việc gửi, nhận văn bản điện tử giữa các hệ thống thông tin trong các cơ quan hành chính nhà nước, văn bản này được lập để kiểm tra việc ký số, chuyển và nhận qua Trục liên thông văn bản quốc gia.",
			"Văn bản không có giá trị pháp lý. Đề nghị các đơn vị tiếp nhận, phản hồi trạng thái xử lý theo quy định./.",
		}
	}
	return d
}

func head(p *fpdf.Fpdf, d Document) {
	const left, right, leftX, rightX = 68.0, 97.0, 25.0, 98.0
	line := func(x, y, w float64, style string, size float64, text string) {
		p.SetFont("vn", style, size)
		p.SetXY(x, y)
		p.MultiCell(w, 5, text, "", "C", false)
	}
	line(leftX, 20, left, "", 9, d.Parent)
	line(leftX, p.GetY(), left, "B", 9.5, d.Agency)
	afterLeft := p.GetY()
	line(rightX, 20, right, "B", 9, "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM")
	line(rightX, 25, right, "B", 10, "Độc lập - Tự do - Hạnh phúc")
	p.Line(rightX+25, 31, rightX+right-25, 31)
	line(leftX, afterLeft+2, left, "", 10, "Số: "+d.Number)
	day := d.Date.In(time.FixedZone("+07", 7*3600))
	line(rightX, 33, right, "", 10, fmt.Sprintf("%s, ngày %02d tháng %02d năm %d", d.Place, day.Day(), int(day.Month()), day.Year()))
	if d.Type == "" {
		line(leftX, afterLeft+8, left, "", 9, d.Subject)
		p.SetY(p.GetY() + 6)
		return
	}
	p.SetY(p.GetY() + 14)
	line(30, p.GetY(), 165, "B", 13, d.Type)
	line(30, p.GetY(), 165, "B", 11, d.Subject)
	p.SetY(p.GetY() + 4)
}

func body(p *fpdf.Fpdf, d Document) {
	p.SetFont("vn", "", 11)
	p.MultiCell(165, 6, "Kính gửi: "+strings.Join(d.To, "; ")+".", "", "C", false)
	p.Ln(3)
	for _, text := range d.Paragraphs {
		p.MultiCell(165, 6, "        "+text, "", "J", false)
		p.Ln(1.5)
	}
}

func foot(p *fpdf.Fpdf, d Document) {
	p.Ln(5)
	y := p.GetY()
	p.SetFont("vn", "B", 8)
	p.Text(30, y+4, "Nơi nhận:")
	p.SetFont("vn", "", 8)
	p.Text(30, y+8, "- Như trên;")
	p.Text(30, y+12, "- Lưu: VT.")
	p.SetFont("vn", "B", 11)
	p.SetXY(110, y)
	p.MultiCell(85, 6, d.Position, "", "C", false)
	p.SetXY(110, y+34)
	p.MultiCell(85, 6, d.Signer, "", "C", false)
}

func footer(p *fpdf.Fpdf) {
	p.SetFont("vn", "B", 8)
	p.SetTextColor(150, 150, 150)
	p.SetXY(30, 285)
	p.CellFormat(165, 5, "TEST - văn bản thử nghiệm, không có giá trị pháp lý", "", 0, "C", false, 0, "")
	p.SetTextColor(0, 0, 0)
}

// noise is what documents are padded with: it does not compress, like a scanned page.
var noise = sync.OnceValue(func() []byte {
	b := make([]byte, 1<<20)
	x := uint64(0x9E3779B97F4A7C15)
	for i := range b {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		b[i] = byte(x >> 32)
	}
	return b
})

// pad adds one stream object that brings the file to size bytes, within the same revision.
func pad(pdf []byte, size int) ([]byte, error) {
	f, err := open(pdf)
	if err != nil {
		return nil, err
	}
	start := f.startxref
	table := pdf[start:]
	room := size - len(pdf) - 120
	if room < 0 {
		return pdf, nil
	}
	out := make([]byte, 0, size+64)
	out = append(out, pdf[:start]...)
	f.offsets[f.size] = len(out)
	out = fmt.Appendf(out, "%d 0 obj\n<</Length %010d>>\nstream\n", f.size, room)
	for room > 0 {
		n := min(room, len(noise()))
		out = append(out, noise()[:n]...)
		room -= n
	}
	out = append(out, "\nendstream\nendobj\n"...)
	f.size++
	at := len(out)
	out = append(out, f.table()...)
	tail := table[bytes.Index(table, []byte("trailer")):]
	tail = bytes.Replace(tail, fmt.Appendf(nil, "/Size %d", f.size-1), fmt.Appendf(nil, "/Size %d", f.size), 1)
	out = append(out, tail[:bytes.Index(tail, []byte("startxref"))]...)
	return fmt.Appendf(out, "startxref\n%d\n%%%%EOF\n", at), nil
}
