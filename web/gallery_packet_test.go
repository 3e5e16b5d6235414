package web

import (
	"time"

	"github.com/truc-lienthong/truc/routing"
	"github.com/truc-lienthong/truc/server"
	"github.com/truc-lienthong/truc/storage"
)

// packetView is a document that came as an edXML packet, with all that may happen to one: strange fields, a system that
// reports failures, a return that is taken back and one that comes late, and recipients that gave the document back.
func packetView(role storage.Role) dispatchView {
	v := galleryView(role)
	v.Form, v.System, v.HeldFor = "edxml", "H29", ""
	line := func(n byte, number string) storage.DispatchLine {
		l := galleryLine(n, routing.Normal, nil).DispatchLine
		l.Number, l.Notation = number, "CĐ-SYT"
		return l
	}
	v.relations = relations{
		Originals: []relation{{line(10, "04"), originalSays[storage.Replace]}},
		Later:     []relation{{line(8, "06"), laterSays[storage.Replace]}, {line(9, "05"), laterSays[storage.Update]}, {line(11, "07"), laterSays[storage.Recall]}},
		Twins:     []relation{{line(12, "05"), phrase{}}, {line(13, "05"), phrase{}}}, MoreTwins: true,
	}
	v.warnings = []server.Problem{
		{Code: "edxml_too_long", Field: "/edXML/edXMLEnvelope/edXMLHeader/MessageHeader/To[12]/OrganName", VI: "OrganName (tên cơ quan) dài 312 ký tự, tối đa 200.", EN: "OrganName has 312 characters, at most 200 are meant."},
		{Code: "edxml_malformed", Field: "/edXML/AttachmentEncoded/Attachment[1]/ContentType", VI: "ContentType (kiểu nội dung) ghi text/plain nhưng nội dung không phải văn bản thuần (cong-dien.pdf).", EN: "ContentType says text/plain but the content is not plain text (cong-dien.pdf)."},
		{Code: "recipient_doubled", Field: "recipients", VI: "H26 và 000.00.00.H26 là cùng một đơn vị; chỉ gửi một lần.", EN: "H26 and 000.00.00.H26 are the same agency; it gets one delivery."},
	}
	at := func(hours int) time.Time { return galleryNow.Add(-time.Duration(hours) * time.Hour) }
	delivery := func(n int, state storage.State, status storage.Status, said time.Time) storage.Delivery {
		return storage.Delivery{DeliveryID: storage.DeliveryID{Dispatch: v.ID, N: n}, AddressedTo: "H26", Agency: "H26", System: "H26", Way: routing.Pull,
			State: state, StateAt: at(25), Status: status, StatusAt: said}
	}
	says := func(n, k int, status storage.Status, event, arrived time.Time, reason string) {
		v.receipts[n] = append(v.receipts[n], storage.Receipt{DeliveryID: storage.DeliveryID{Dispatch: v.ID, N: n}, K: k, Status: status, Agency: "H26", System: "H26", Reason: reason,
			Staff: storage.Staff{Name: "Trần Thị Tiếp Nhận", Department: "Văn thư"}, EventTime: event, ReceivedAt: arrived})
	}
	v.deliveries = []storage.Delivery{
		delivery(1, storage.Delivered, storage.Registered, at(20)),  // returned by mistake, and the correction
		delivery(2, storage.Delivered, storage.Returned, at(3)),     // returned after it was registered
		delivery(3, storage.Pending, "", time.Time{}),               // its system reported two failures
		delivery(4, storage.Refused, "", time.Time{}),               // and here the third
		delivery(5, storage.Delivered, storage.RecallAgreed, at(2)), // gave it back
		delivery(6, storage.Delivered, "", time.Time{}),             // took an updated version
		delivery(7, storage.Recalled, "", time.Time{}),              // had not fetched it yet
	}
	v.deliveries[1].Agency, v.deliveries[1].AddressedTo = "H29.99", "H29.99"
	v.deliveries[3].Owner, v.deliveries[3].Deadline, v.deliveries[3].Reason = "sender", at(-48), "khong giai nen duoc goi tin"
	v.deliveries[4].Withdrawn = storage.ByRecall
	v.deliveries[6].Reason = "recalled_unfetched"
	v.deliveries[5].Withdrawn, v.deliveries[5].WithdrawnBy = storage.ByUpdate, galleryID(8)
	v.agreed = map[int]time.Time{5: at(2), 6: at(1)}
	v.attempts, v.receipts = map[int][]storage.Attempt{}, map[int][]storage.Receipt{}
	says(1, 1, storage.Registered, at(20), at(19), "")
	says(1, 2, storage.Returned, at(22), at(22).Add(30*time.Second), "Gửi nhầm đơn vị")
	says(2, 1, storage.Registered, at(21), at(21), "")
	says(2, 2, storage.Returned, at(3), at(3), "Thiếu phụ lục 2")
	says(5, 1, storage.Registered, at(20), at(20), "")
	says(5, 2, storage.RecallAsked, at(4), at(4), "Phát hành nhầm bản dự thảo")
	says(5, 3, storage.RecallAgreed, at(2), at(2), "")
	for n, outcomes := range map[int][]storage.Outcome{3: {storage.Later, storage.Later}, 4: {storage.Later, storage.Later, storage.Never}} {
		for i, outcome := range outcomes {
			v.attempts[n] = append(v.attempts[n], storage.Attempt{K: i + 1, Node: "H26", StartedAt: at(24 - i), EndedAt: at(24 - i), Outcome: outcome, Detail: "khong giai nen duoc goi tin"})
		}
	}
	v.states, v.statuses = map[storage.State]int{}, map[storage.Status]int{}
	for _, dl := range v.deliveries {
		v.states[dl.State]++
		v.statuses[dl.Status]++
	}
	return v
}

// givenBack is the side of a recipient that took an updated version.
func givenBack() dispatchView {
	v := packetView(storage.Clerk)
	v.sender, v.deliveries = false, v.deliveries[5:6]
	v.states, v.statuses = map[storage.State]int{storage.Delivered: 1}, map[storage.Status]int{"": 1}
	return v
}
