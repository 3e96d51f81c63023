public struct StoredFingerprint: Hashable, Sendable {
    public let bytes: [UInt8]
    init(bytes: [UInt8]) throws(MalformedBytes) { self.bytes = bytes }
    init(raw: [UInt8]) { bytes = raw }
}
public enum FingerprintComparison { case same, different, incomparable }
extension Fingerprint {
    public static var none: Fingerprint { Fingerprint { _ in } }
    public var stored: StoredFingerprint { StoredFingerprint(raw: digest.bytes) }
    public func compared(to s: StoredFingerprint) -> FingerprintComparison { s == stored ? .same : .different }
}
