package signing

// The words, by subject. A word is a promise: partners and stored reports keep it.
const (
	// The file.
	NoSignature       Reason = "no_signature"
	UnsupportedFormat Reason = "unsupported_format"
	FileUnreadable    Reason = "file_unreadable"
	ContentMissing    Reason = "content_missing"
	Interrupted       Reason = "interrupted"
	PDFEncrypted      Reason = "pdf_encrypted"
	PDFMalformed      Reason = "pdf_malformed"
	PDFLimits         Reason = "pdf_limits"

	// The CMS message.
	CMSMalformed           Reason = "cms_malformed"
	CMSTooDeep             Reason = "cms_too_deep"
	CMSTooLarge            Reason = "cms_too_large"
	CMSTrailingData        Reason = "cms_trailing_data"
	CMSVersion             Reason = "cms_version"
	CMSKindUnsupported     Reason = "cms_kind_unsupported"
	NoSigner               Reason = "no_signer"
	DetachedHasContent     Reason = "detached_has_content"
	NoSignedAttributes     Reason = "no_signed_attributes"
	AttributesStripped     Reason = "attributes_stripped"
	AttributesMalformed    Reason = "attributes_malformed"
	ContentTypeMissing     Reason = "content_type_missing"
	ContentTypeRepeated    Reason = "content_type_repeated"
	ContentTypeMismatch    Reason = "content_type_mismatch"
	SigningTimeRepeated    Reason = "signing_time_repeated"
	DigestMissing          Reason = "message_digest_missing"
	DigestRepeated         Reason = "message_digest_repeated"
	DigestMismatch         Reason = "digest_mismatch"
	DigestUnlisted         Reason = "digest_algorithm_unlisted"
	DigestUnsupported      Reason = "digest_algorithm_unsupported"
	SignatureUnsupported   Reason = "signature_algorithm_unsupported"
	AlgorithmMismatch      Reason = "algorithm_mismatch"
	SignatureMismatch      Reason = "signature_mismatch"
	SignerMissing          Reason = "signer_certificate_missing"
	SigningCertMismatch    Reason = "signing_certificate_mismatch"
	CertificateMalformed   Reason = "certificate_malformed"
	CertificateUnreadable  Reason = "certificate_unreadable"
	CertificateDamaged     Reason = "certificate_damaged"
	WeakDigest             Reason = "weak_digest"
	WeakKey                Reason = "weak_key"
	ExternalContentUnknown Reason = "content_digest_unknown"

	// The certificate path.
	NoAnchor            Reason = "no_anchor"
	Untrusted           Reason = "untrusted"
	PathSignature       Reason = "path_signature"
	PathNotCA           Reason = "path_not_ca"
	PathKeyUsage        Reason = "path_key_usage"
	PathLength          Reason = "path_length"
	PathCritical        Reason = "path_critical_extension"
	PathNames           Reason = "path_name_constraints"
	PathNameChaining    Reason = "path_name_chaining"
	PathPolicy          Reason = "path_policy"
	PathMapping         Reason = "path_policy_mapping"
	PathUnsupported     Reason = "path_constraint_unsupported"
	PathTooLong         Reason = "path_too_long"
	CertificateExpired  Reason = "certificate_expired"
	CertificateNotYet   Reason = "certificate_not_yet_valid"
	AuthorityExpired    Reason = "ca_expired"
	AuthorityNotYet     Reason = "ca_not_yet_valid"
	CertificateKeyUsage Reason = "certificate_key_usage"
	NoTimeProof         Reason = "no_time_proof"

	// Revocation.
	CertificateRevoked   Reason = "certificate_revoked"
	AuthorityRevoked     Reason = "ca_revoked"
	RevokedLater         Reason = "revoked_later"
	RevocationMissing    Reason = "revocation_unknown"
	RevocationStale      Reason = "revocation_stale"
	RevocationInvalid    Reason = "revocation_data_invalid"
	OCSPUnknown          Reason = "ocsp_unknown"
	RevocationSoft       Reason = "revocation_unknown_accepted"
	RevocationNotChecked Reason = "revocation_not_checked"

	// Time.
	NoTimestamp        Reason = "no_timestamp"
	TimestampInvalid   Reason = "timestamp_invalid"
	TimestampUntrusted Reason = "timestamp_untrusted"
	TimestampWeak      Reason = "timestamp_weak"
	TimestampFuture    Reason = "timestamp_after_reception"
	TimestampKept      Reason = "timestamp_kept_as_evidence"

	// The PDF.
	ByteRangeForged      Reason = "byterange_forged"
	SignatureDictInvalid Reason = "signature_dictionary_invalid"
	ChangedAfterSigning  Reason = "changed_after_signing"
	SignatureRemoved     Reason = "signature_removed"
	SignatureOutsideForm Reason = "signature_outside_form"
	RevisionUnreadable   Reason = "revision_unreadable"
	AdditionsCovered     Reason = "additions_before_issue"
	AdditionsUncovered   Reason = "additions_uncovered"
	AdditionsUnproven    Reason = "additions_unproven"
	AdditionsByPerson    Reason = "additions_without_agency"
	FormFilled           Reason = "form_filled"

	// Marks on what is otherwise judged.
	JavaScript         Reason = "pdf_javascript"
	LaunchAction       Reason = "pdf_launch"
	EmbeddedExecutable Reason = "pdf_embedded_executable"
	ExternalAction     Reason = "pdf_external_action"
	RichMedia          Reason = "pdf_rich_media"
	XFAForm            Reason = "pdf_xfa"
	EmbeddedFile       Reason = "pdf_embedded_file"
	PDFOld             Reason = "pdf_version_old"
	TestAnchor         Reason = "test_anchor"
	NotOfficial        Reason = "not_official_signature"

	// Whose signatures there are, and whose there should be.
	PersonMissing     Reason = "person_signature_missing"
	AgencyMissing     Reason = "agency_signature_missing"
	AppendixUnsealed  Reason = "appendix_without_agency_signature"
	CopyUnsealed      Reason = "copy_without_agency_signature"
	SealedBeforeHand  Reason = "agency_signed_before_person"
	SenderOther       Reason = "sender_mismatch"
	SenderPredecessor Reason = "sender_predecessor"
)

// forged are the reasons that make FileReport.Broken: the bytes are not what was signed.
var forged = map[Reason]bool{
	DigestMismatch: true, SignatureMismatch: true, AttributesStripped: true,
	ByteRangeForged: true, ChangedAfterSigning: true, SignatureRemoved: true,
}

var reasonTexts = []ReasonText{
	{NoSignature, Unsigned, "NĐ 30/2020/NĐ-CP, Phụ lục I", "Không có chữ ký số.", "There is no digital signature."},
	{UnsupportedFormat, Undetermined, "NĐ 30/2020/NĐ-CP, Phụ lục I; TT 39/2017/TT-BTTTT", "Định dạng chữ ký số chưa hỗ trợ (XAdES, OOXML).", "The signature format is not supported (XAdES, OOXML)."},
	{FileUnreadable, Undetermined, "ETSI EN 319 102-1, 5.1.4.3", "Không đọc được tệp.", "The file could not be read."},
	{ContentMissing, Undetermined, "RFC 5652, 5.2", "Chữ ký tách rời nhưng không có nội dung được ký.", "The signature is detached and its content is not here."},
	{Interrupted, Undetermined, "ETSI EN 319 102-1, 5.1.4.3", "Việc kiểm tra bị dừng giữa chừng.", "The check was stopped before its end."},
	{PDFEncrypted, Undetermined, "Luật 116/2025/QH15, điều 17", "Tệp PDF bị mã hóa, không kiểm tra được chữ ký số.", "The PDF is encrypted, so its signatures cannot be checked."},
	{PDFMalformed, Undetermined, "ISO 32000-1, 7.5", "Tệp PDF hỏng hoặc sai cấu trúc, không đọc được.", "The PDF is damaged or malformed and cannot be read."},
	{PDFLimits, Undetermined, "ISO 32000-1, 7.5", "Tệp PDF vượt giới hạn xử lý an toàn (quá nhiều đối tượng hoặc giải nén quá lớn).", "The PDF exceeds the safe limits (too many objects, or inflates too far)."},

	{CMSMalformed, Invalid, "RFC 5652, 3; ETSI EN 319 102-1, 5.1.4.3 FORMAT_FAILURE", "Chữ ký số sai cấu trúc (CMS).", "The signature is malformed (CMS)."},
	{CMSTooDeep, Undetermined, "RFC 5652, 3", "Chữ ký số lồng nhau quá sâu, không kiểm tra.", "The signature is nested too deeply to be checked."},
	{CMSTooLarge, Undetermined, "RFC 5652, 3", "Chữ ký số quá lớn, không kiểm tra.", "The signature is too large to be checked."},
	{CMSTrailingData, Invalid, "RFC 5652, 3; X.690, 8.1", "Có dữ liệu thừa sau chữ ký số.", "There are stray bytes after the signature."},
	{CMSVersion, Invalid, "RFC 5652, 5.1 và 5.3", "Số phiên bản trong chữ ký số không đúng.", "A version number in the signature is wrong."},
	{CMSKindUnsupported, Undetermined, "RFC 5652, 3 và 5.2.1", "Thông điệp CMS thuộc loại chưa hỗ trợ (mã hóa, nén hoặc PKCS #7 kiểu cũ), không kiểm tra được chữ ký số.", "The CMS message is of an unsupported kind (encrypted, compressed or old PKCS #7); its signatures cannot be checked."},
	{NoSigner, Invalid, "RFC 5652, 5.1", "Thông điệp chữ ký không có người ký nào.", "The signature message names no signer."},
	{DetachedHasContent, Invalid, "RFC 5652, 5.2; ISO 32000-1, 12.8.3.3", "Chữ ký tách rời lại mang nội dung riêng.", "The detached signature carries content of its own."},
	{NoSignedAttributes, Invalid, "RFC 5652, 5.3; ETSI EN 319 122-1, 5.1", "Chữ ký số không có thuộc tính được ký.", "The signature has no signed attributes."},
	{AttributesStripped, Invalid, "RFC 5652, 5.3 và 5.4", "Chữ ký giả: nội dung chính là khối thuộc tính của một chữ ký khác.", "Forgery: the content is the attribute block of another signature."},
	{AttributesMalformed, Invalid, "RFC 5652, 5.3", "Thuộc tính được ký sai cấu trúc.", "The signed attributes are malformed."},
	{ContentTypeMissing, Invalid, "RFC 5652, 11.1", "Thiếu thuộc tính loại nội dung (contentType).", "The contentType attribute is missing."},
	{ContentTypeRepeated, Invalid, "RFC 5652, 11.1", "Thuộc tính loại nội dung (contentType) bị lặp.", "The contentType attribute is repeated."},
	{ContentTypeMismatch, Invalid, "RFC 5652, 11.1", "Loại nội dung đã ký khác loại nội dung của thông điệp.", "The signed content type differs from that of the message."},
	{SigningTimeRepeated, Invalid, "RFC 5652, 11.3", "Thuộc tính thời điểm ký xuất hiện nhiều lần hoặc có nhiều giá trị.", "The signing-time attribute occurs more than once."},
	{DigestMissing, Invalid, "RFC 5652, 11.2", "Thiếu giá trị băm đã ký (messageDigest).", "The messageDigest attribute is missing."},
	{DigestRepeated, Invalid, "RFC 5652, 11.2", "Giá trị băm đã ký (messageDigest) bị lặp.", "The messageDigest attribute is repeated."},
	{DigestMismatch, Invalid, "RFC 5652, 5.4 và 11.2; ETSI EN 319 102-1 HASH_FAILURE", "Tài liệu đã bị thay đổi: giá trị băm không khớp với chữ ký.", "The document was changed: its digest is not the signed one."},
	{DigestUnlisted, Invalid, "RFC 5652, 5.1", "Thuật toán băm của người ký không có trong danh sách của thông điệp.", "The signer's digest algorithm is not in the message's list."},
	{DigestUnsupported, Undetermined, "RFC 5754; TT 39/2017/TT-BTTTT", "Thuật toán băm chưa hỗ trợ.", "The digest algorithm is not supported."},
	{SignatureUnsupported, Undetermined, "RFC 5754; TT 39/2017/TT-BTTTT", "Thuật toán ký chưa hỗ trợ.", "The signature algorithm is not supported."},
	{AlgorithmMismatch, Invalid, "RFC 5652, 5.3; RFC 4056, 3", "Thuật toán ký không khớp với thuật toán băm hoặc khóa.", "The signature algorithm does not fit the digest algorithm or the key."},
	{SignatureMismatch, Invalid, "RFC 5652, 5.6; ETSI EN 319 102-1 SIG_CRYPTO_FAILURE", "Giá trị chữ ký không đúng với khóa của người ký.", "The signature value does not fit the signer's key."},
	{SignerMissing, Undetermined, "RFC 5652, 5.3; ETSI EN 319 102-1 NO_SIGNING_CERTIFICATE_FOUND", "Không tìm thấy chứng thư số của người ký.", "The signer's certificate was not found."},
	{SigningCertMismatch, Invalid, "RFC 5035, 5.4; ETSI EN 319 122-1, 5.2.2", "Chứng thư số không phải là chứng thư đã được ký kèm (signing-certificate).", "The certificate is not the one bound by signing-certificate."},
	{CertificateMalformed, Invalid, "RFC 5280, 4.1", "Chứng thư số sai cấu trúc.", "A certificate is malformed."},
	{CertificateUnreadable, Undetermined, "RFC 5280, 4.1", "Một chứng thư số kèm trong chữ ký không đọc được.", "A certificate in the signature cannot be read."},
	{CertificateDamaged, Invalid, "RFC 5280, 6.1", "Một chứng thư số kèm trong chữ ký đã bị sửa đổi hoặc hư hỏng.", "A certificate in the signature was altered or damaged."},
	{WeakDigest, Undetermined, "TT 39/2017/TT-BTTTT; ETSI TS 119 312", "Thuật toán băm yếu (SHA-1, MD5).", "The digest algorithm is weak (SHA-1, MD5)."},
	{WeakKey, Undetermined, "TT 39/2017/TT-BTTTT; ETSI TS 119 312", "Khóa yếu (RSA dưới 2048 bit).", "The key is weak (RSA below 2048 bits)."},
	{ExternalContentUnknown, Undetermined, "RFC 5652, 5.4", "Chưa có giá trị băm của nội dung theo thuật toán của người ký.", "The content's digest under the signer's algorithm is not at hand."},

	{NoAnchor, Undetermined, "NĐ 68/2024/NĐ-CP, điều 31", "Chưa cấu hình gốc tin cậy.", "No trust anchor is configured."},
	{Untrusted, Undetermined, "NĐ 68/2024/NĐ-CP, điều 31; ETSI EN 319 102-1 NO_CERTIFICATE_CHAIN_FOUND", "Chứng thư số không tin cậy: không dẫn tới gốc tin cậy nào.", "The certificate is not trusted: it leads to no trust anchor."},
	{PathSignature, Invalid, "RFC 5280, 6.1.3 (a)(1)", "Đường dẫn chứng thực không hợp lệ: chữ ký trên chứng thư số không đúng.", "The certificate path is invalid: a certificate's signature is wrong."},
	{PathNotCA, Invalid, "RFC 5280, 6.1.4 (k)", "Đường dẫn chứng thực không hợp lệ: bên cấp không phải là CA.", "The certificate path is invalid: an issuer is not a CA."},
	{PathKeyUsage, Invalid, "RFC 5280, 6.1.4 (n)", "Đường dẫn chứng thực không hợp lệ: khóa của CA không được dùng để ký chứng thư.", "The certificate path is invalid: a CA's key may not sign certificates."},
	{PathLength, Invalid, "RFC 5280, 6.1.4 (l)", "Đường dẫn chứng thực không hợp lệ: dài hơn CA cho phép.", "The certificate path is invalid: longer than a CA allows."},
	{PathCritical, Invalid, "RFC 5280, 4.2", "Chứng thư số có phần mở rộng bắt buộc chưa biết.", "A certificate has an unknown critical extension."},
	{PathNames, Invalid, "RFC 5280, 6.1.3 (b), (c)", "Tên trong chứng thư số nằm ngoài phạm vi CA được cấp.", "A name in the certificate is outside what its CA may issue."},
	{PathNameChaining, Invalid, "RFC 5280, 6.1.3 (a)(4)", "Đường dẫn chứng thực không hợp lệ: tên bên cấp ghi trong chứng thư số không phải tên của CA đã ký.", "The certificate path is invalid: the issuer's name in a certificate is not that of the CA that signed it."},
	{PathPolicy, Invalid, "RFC 5280, 6.1.3 (f), 6.1.5 (g)", "Đường dẫn chứng thực không theo chính sách chứng thư được yêu cầu.", "The certificate path is not good for a certificate policy that is required."},
	{PathMapping, Invalid, "RFC 5280, 6.1.4 (a)", "Đường dẫn chứng thực không hợp lệ: ánh xạ chính sách dùng anyPolicy.", "The certificate path is invalid: a policy mapping uses anyPolicy."},
	{PathUnsupported, Undetermined, "RFC 5280, 6.1", "Đường dẫn chứng thực có ràng buộc chưa hỗ trợ.", "The certificate path has a constraint that is not supported."},
	{PathTooLong, Undetermined, "RFC 5280, 6.1", "Đường dẫn chứng thực quá dài hoặc quá rối.", "The certificate path is too long or too tangled."},
	{CertificateExpired, Invalid, "NĐ 68/2024/NĐ-CP, điều 31; RFC 5280, 6.1.3 (a)(2)", "Chứng thư số đã hết hạn sử dụng.", "The certificate had expired."},
	{CertificateNotYet, Invalid, "NĐ 68/2024/NĐ-CP, điều 31; RFC 5280, 6.1.3 (a)(2)", "Chứng thư số chưa có hiệu lực.", "The certificate was not yet valid."},
	{AuthorityExpired, Invalid, "NĐ 68/2024/NĐ-CP, điều 31; RFC 5280, 6.1.3 (a)(2)", "Chứng thư số CA đã hết hạn sử dụng.", "A CA certificate had expired."},
	{AuthorityNotYet, Invalid, "NĐ 68/2024/NĐ-CP, điều 31; RFC 5280, 6.1.3 (a)(2)", "Chứng thư số CA chưa có hiệu lực.", "A CA certificate was not yet valid."},
	{CertificateKeyUsage, Invalid, "RFC 5280, 4.2.1.3; NĐ 68/2024/NĐ-CP, điều 31", "Chứng thư số không dùng để ký văn bản.", "The certificate is not for signing documents."},
	{NoTimeProof, Undetermined, "NĐ 68/2024/NĐ-CP, điều 31; ETSI EN 319 102-1 OUT_OF_BOUNDS_NO_POE", "Không có bằng chứng thời điểm: chứng thư số còn hiệu lực lúc người ký khai, nhưng không còn lúc tiếp nhận.", "No proof of time: the certificate was good at the claimed time, not at reception."},

	{CertificateRevoked, Invalid, "NĐ 68/2024/NĐ-CP, điều 31; RFC 5280, 6.3", "Chứng thư số đã bị thu hồi.", "The certificate had been revoked."},
	{AuthorityRevoked, Invalid, "NĐ 68/2024/NĐ-CP, điều 31; RFC 5280, 6.3", "Chứng thư số CA đã bị thu hồi.", "A CA certificate had been revoked."},
	{RevokedLater, Valid, "NĐ 68/2024/NĐ-CP, điều 31", "Chứng thư số bị thu hồi sau thời điểm ký: chữ ký vẫn hợp lệ.", "The certificate was revoked after the time of signing: the signature stands."},
	{RevocationMissing, Undetermined, "NĐ 68/2024/NĐ-CP, điều 31; ETSI EN 319 102-1 TRY_LATER", "Chưa có danh sách chứng thư bị thu hồi để kiểm tra.", "No revocation list is at hand to check against."},
	{RevocationStale, Undetermined, "RFC 5280, 6.3.3; ETSI EN 319 102-1 TRY_LATER", "Danh sách chứng thư bị thu hồi đã quá hạn.", "The revocation list is out of date."},
	{RevocationInvalid, Undetermined, "RFC 5280, 6.3.3", "Danh sách chứng thư bị thu hồi không hợp lệ.", "The revocation list is not valid."},
	{OCSPUnknown, Undetermined, "RFC 6960, 2.2; ETSI EN 319 102-1 TRY_LATER", "Dịch vụ OCSP trả về kết quả UNKNOWN.", "The OCSP service answered UNKNOWN."},
	{RevocationSoft, Valid, "NĐ 68/2024/NĐ-CP, điều 31", "Chưa kiểm tra được tình trạng thu hồi; được chấp nhận theo chính sách.", "Revocation could not be checked; accepted by policy."},
	{RevocationNotChecked, Valid, "NĐ 68/2024/NĐ-CP, điều 31", "Không kiểm tra tình trạng hủy bỏ của chứng thư số ký.", "The revocation status of the signing certificate was not checked."},

	{NoTimestamp, Valid, "NĐ 30/2020/NĐ-CP, điều 5; TT 41/2017/TT-BTTTT, điều 9", "Không có dấu thời gian; thời điểm ký là do người ký khai.", "There is no timestamp; the time of signing is only claimed."},
	{TimestampInvalid, Valid, "RFC 3161, 2.4.2; RFC 5816", "Dấu thời gian không hợp lệ.", "The timestamp is not valid."},
	{TimestampUntrusted, Valid, "RFC 3161, 2.3", "Dấu thời gian không thuộc tổ chức cấp dấu thời gian tin cậy.", "The timestamp is not under a trusted timestamp authority."},
	{TimestampWeak, Valid, "RFC 3161, 2.4.2; ETSI TS 119 312", "Dấu thời gian dùng thuật toán yếu, không làm bằng chứng thời điểm.", "The timestamp uses a weak algorithm and proves no time."},
	{TimestampFuture, Undetermined, "NĐ 68/2024/NĐ-CP, điều 31; RFC 3161, 2.4.2", "Dấu thời gian muộn hơn thời điểm tiếp nhận.", "The timestamp is later than the reception."},
	{TimestampKept, Undetermined, "ETSI EN 319 122-1, 5.2.8 và 5.5", "Loại dấu thời gian này chỉ được lưu làm bằng chứng, không dùng để xác định thời điểm ký.", "A timestamp of this kind is only kept as evidence; no time of signing is drawn from it."},

	{ByteRangeForged, Invalid, "ISO 32000-1, 12.8.1; ETSI EN 319 142-1, 5.2", "Chữ ký giả: ByteRange không bao trùm đúng tài liệu quanh giá trị chữ ký.", "Forgery: the ByteRange is not the document around the signature's own value."},
	{SignatureDictInvalid, Invalid, "ISO 32000-1, 12.8.1, bảng 252", "Từ điển chữ ký trong PDF thiếu hoặc sai giá trị.", "The PDF signature dictionary lacks or misstates a value."},
	{ChangedAfterSigning, Invalid, "ISO 32000-1, 12.8.1; NĐ 30/2020/NĐ-CP, điều 5", "Tài liệu đã bị thay đổi sau khi ký.", "The document was changed after signing."},
	{SignatureRemoved, Invalid, "ISO 32000-1, 12.8.1", "Chữ ký đã bị gỡ khỏi tài liệu sau khi ký.", "The signature was taken out of the document after signing."},
	{SignatureOutsideForm, Undetermined, "ISO 32000-1, 12.7.4.5", "Tệp có chữ ký số không thuộc trường chữ ký nào.", "The file bears a signature that no signature field holds."},
	{RevisionUnreadable, Undetermined, "ISO 32000-1, 7.5.6", "Không xác định được những gì đã thêm vào sau khi ký.", "What was added after signing cannot be determined."},
	{AdditionsCovered, Valid, "NĐ 30/2020/NĐ-CP, Phụ lục I", "Có bổ sung trước khi phát hành (số, ngày, con dấu), đã được chữ ký sau xác nhận.", "Additions before issue (number, date, seal), vouched for by a later signature."},
	{AdditionsUncovered, Undetermined, "NĐ 30/2020/NĐ-CP, điều 5, 21 và 23", "Có dấu, ghi chú đặt lên trang sau chữ ký cuối cùng, không chữ ký nào xác nhận.", "Marks were laid on the page after the last signature; no signature vouches for them."},
	{AdditionsUnproven, Undetermined, "NĐ 30/2020/NĐ-CP, Phụ lục I", "Có bổ sung sau khi ký; chữ ký sau bao trùm phần bổ sung nhưng chưa xác định được là hợp lệ.", "Additions after signing; the later signature that covers them could not be determined valid."},
	{AdditionsByPerson, Undetermined, "NĐ 30/2020/NĐ-CP, Phụ lục I", "Có bổ sung sau khi ký; chỉ chữ ký của cá nhân bao trùm phần bổ sung, chưa có chữ ký của cơ quan.", "Additions after signing; only a person's signature covers them, none of an agency."},
	{FormFilled, Valid, "ISO 32000-1, 12.8.2.2", "Nội dung đã ký số chưa bị thay đổi. Tuy nhiên, tài liệu đã có những thay đổi trong giới hạn cho phép.", "The signed content is unchanged; the document has changes that the signature allows."},

	{JavaScript, Valid, "Luật 116/2025/QH15, điều 17", "Tệp PDF chứa mã JavaScript.", "The PDF contains JavaScript."},
	{LaunchAction, Valid, "Luật 116/2025/QH15, điều 17", "Tệp PDF có lệnh mở chương trình (Launch).", "The PDF has a Launch action."},
	{EmbeddedExecutable, Valid, "Luật 116/2025/QH15, điều 17", "Tệp PDF nhúng tệp thực thi.", "The PDF embeds an executable file."},
	{ExternalAction, Valid, "Luật 116/2025/QH15, điều 17", "Tệp PDF có lệnh gửi, nhập dữ liệu hoặc mở tệp khác.", "The PDF has an action that sends or imports data, or opens another file."},
	{RichMedia, Valid, "Luật 116/2025/QH15, điều 17", "Tệp PDF có nội dung đa phương tiện hoặc 3D.", "The PDF has multimedia or 3D content."},
	{XFAForm, Valid, "ISO 32000-2, 12.7.3", "Tệp PDF dùng biểu mẫu XFA: phần mềm đọc có thể hiển thị khác nội dung trang.", "The PDF has an XFA form: readers may show other than its pages say."},
	{EmbeddedFile, Valid, "Luật 116/2025/QH15, điều 17", "Tệp PDF nhúng tệp khác.", "The PDF embeds another file."},
	{PDFOld, Valid, "NĐ 30/2020/NĐ-CP, Phụ lục I", "Phiên bản PDF thấp hơn 1.4.", "The PDF version is below 1.4."},
	{TestAnchor, Valid, "TT 41/2017/TT-BTTTT, điều 9", "Chữ ký thuộc gốc chứng thực THỬ NGHIỆM, không có giá trị pháp lý.", "The signature leads to a TEST root; it has no legal value."},
	{NotOfficial, Valid, "Luật 20/2023/QH15, điều 22; NĐ 68/2024/NĐ-CP", "Không phải chữ ký số chuyên dùng công vụ.", "Not an official-duty (công vụ) signature."},

	{PersonMissing, Valid, "NĐ 30/2020/NĐ-CP, điều 13 và Phụ lục I", "Thiếu chữ ký người có thẩm quyền.", "The signature of the competent person is missing."},
	{AgencyMissing, Valid, "NĐ 30/2020/NĐ-CP, điều 13 và Phụ lục I", "Thiếu chữ ký cơ quan.", "The agency's signature is missing."},
	{AppendixUnsealed, Valid, "NĐ 30/2020/NĐ-CP, Phụ lục I", "Phụ lục/tệp kèm chưa có chữ ký số của cơ quan.", "The appendix in its own file lacks the agency's signature."},
	{CopyUnsealed, Valid, "NĐ 30/2020/NĐ-CP, điều 25 và Phụ lục I", "Bản sao chưa có chữ ký số của cơ quan sao văn bản.", "The copy lacks the signature of the agency that made it."},
	{SealedBeforeHand, Valid, "NĐ 30/2020/NĐ-CP, Phụ lục I", "Cơ quan ký trước người có thẩm quyền.", "The agency signed before the competent person."},
	{SenderOther, Valid, "NĐ 68/2024/NĐ-CP, điều 31; NĐ 23/2025/NĐ-CP, điều 16", "Cơ quan ký không khớp bên gửi.", "The signing agency is not the sender."},
	{SenderPredecessor, Valid, "NĐ 68/2024/NĐ-CP, điều 31", "Cơ quan ký là tên, mã trước sắp xếp của bên gửi.", "The signing agency is one whose successor the sender is."},
}
