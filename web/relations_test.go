package web

import (
	"fmt"
	"strings"
	"testing"
)

// TestRelationsLinkBothWays: a document names what it changes, and what changed it (R21); a recipient reads of those
// alone that came to it.
func TestRelationsLinkBothWays(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	pdf := must[[]byte](t)(signedPDF())
	first := w.submit("H29.12", letter("SYT-1", "H26", "H01.151"), "a.pdf", pdf)
	w.takes("H26", first+".1")
	update := w.submit("H29.12", change("update", "SYT-1", "SYT-2", "H26"), "b.pdf", pdf)
	second := change("update", "SYT-1", "SYT-3", "H26")
	second["number"] = "126"
	again := w.submit("H29.12", second, "b.pdf", pdf)
	w.takes("H26", update+".1") // or the recall would take them back without a word
	w.takes("H26", again+".1")
	other := change("replace", "SYT-1", "SYT-4", "H01.151")
	other["number"] = "127"
	replaced := w.submit("H29.12", other, "c.pdf", pdf)
	back := change("recall", "SYT-1", "SYT-5", "H26")
	back["number"] = "128"
	recall := w.submit("H29.12", back, "d.pdf", pdf)

	says := func(words, number, id string) string {
		return words + `</strong> <a href="/dispatches/` + id + `" class="break">` + number + "/SYT-VP</a>"
	}
	all := []string{says("Đã được cập nhật bởi", "125", update), says("Đã được cập nhật bởi", "126", again), says("Đã được thay thế bởi", "127", replaced),
		says("Bên gửi yêu cầu thu hồi bằng", "128", recall)}
	w.signIn("van.hanh").get("/deliveries/"+first+".1").want(t, 200, all...)
	sender, hanoi := w.signIn("van.thu"), w.signIn("van.thu.hanoi")
	sender.get("/dispatches/"+first).want(t, 200, all...)
	hanoi.get("/dispatches/"+first).want(t, 200, all[0], all[1], all[3]).lacks(t, "127/SYT-VP", replaced)
	for id, word := range map[string]string{update: "Cập nhật văn bản", replaced: "Thay thế văn bản", recall: "Thu hồi văn bản"} {
		sender.get("/dispatches/"+id).want(t, 200, "<dt>"+word+`</dt><dd><a href="/dispatches/`+first+`" class="break">123/SYT-VP</a>`)
	}
	sender.get("/dispatches/"+update).want(t, 200, all[1:]...).lacks(t, all[0]) // a version knows the later ones
	sender.get("/dispatches/"+again).want(t, 200, all[2:]...).lacks(t, "125/SYT-VP")
	hanoi.get("/deliveries/"+update+".1").want(t, 200, "<dt>Cập nhật văn bản</dt>", all[1])
}

// TestTwinsAreSuspected: another document of the same number, notation, agency and year is named, to whom it came too.
func TestTwinsAreSuspected(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	pdf := must[[]byte](t)(signedPDF())
	first := w.submit("H29.12", letter("SYT-1", "H26"), "a.pdf", pdf)
	sender, hanoi := w.signIn("van.thu"), w.signIn("van.thu.hanoi")
	sender.get("/dispatches/"+first).want(t, 200).lacks(t, "Nghi trùng")
	twin := w.submit("H29.12", letter("SYT-2", "H01.151"), "a.pdf", pdf)
	lastYear := letter("SYT-3", "H26")
	lastYear["promulgation_date"] = "2025-11-20"
	w.submit("H29.12", lastYear, "a.pdf", pdf)
	sender.get("/dispatches/"+first).want(t, 200, "Nghi trùng", "/dispatches/"+twin)
	sender.get("/dispatches/"+twin).want(t, 200, "Nghi trùng", "/dispatches/"+first)
	hanoi.get("/deliveries/"+first+".1").want(t, 200).lacks(t, "Nghi trùng", twin)
	for i := range mostRelations {
		w.submit("H29.12", letter(fmt.Sprintf("SYT-more-%d", i), "H26"), "a.pdf", pdf)
	}
	page := sender.get("/dispatches/"+first).want(t, 200, "và các văn bản khác nữa")
	if n := strings.Count(page.body, `class="break">123/SYT-VP</a>`); n != mostRelations {
		t.Errorf("%d twins are shown", n)
	}
	hanoi.get("/deliveries/"+first+".1").want(t, 200, "Nghi trùng").lacks(t, twin, "khác nữa")
}
