import XenStoreWire

/// What the core needs to know of a transport.
struct LinkTraits: Hashable, Sendable {
    /// The most bytes that one packet's payload may have.
    var payloadByteCountLimit = Packet.payloadByteCountLimit
    /// Whether it is the kernel's device: one request at a time, and the kernel's own watches on the same connection.
    var isKernelDevice = false
}

extension LinkTraits {
    init(_ transport: any ByteTransport) {
        payloadByteCountLimit = transport.payloadByteCountLimit
        isKernelDevice = transport.isKernelDevice
    }
}
