import XenCore
import XenStoreWire
import XenSystem

/// The kernel's xenbus device, as a stream that never blocks: one packet a write, the header counted into its buffer of
/// 4096 bytes, and no other before that one's reply.
///
/// Linux answers a write that it refuses with an errno, and does not return from that of a WATCH before the store has
/// answered, which a dead store never does; no signal ends that. So a thread writes, which may be left behind, and a
/// refusal is read as the ERROR packet that it stands for.
/// Source: drivers/xen/xenbus/xenbus_dev_frontend.c, xenbus_xs.c in Linux.
final class DeviceTransport: ByteTransport {
    private let writer: DeviceWriter
    private let thread: PlatformThread

    /// Takes ownership of the open device. `name` is for error messages.
    ///
    /// Throws `.unavailable` when there is no descriptor or thread left, or when too many writes of earlier connections
    /// have not returned.
    convenience init(_ device: consuming OwnedDescriptor, name: String) throws(StoreError) {
        try self.init(device, name: name) { device, message throws(SystemFailure) in
            try device.writeMessage(message)
        }
    }

    /// As above, with another way to write.
    init(
        _ device: consuming OwnedDescriptor, name: String,
        write: @escaping DeviceWriter.Write
    ) throws(StoreError) {
        let writer = try DeviceWriter(device, name: name, write)
        self.writer = writer
        do { thread = try PlatformThread { writer.run() } } catch {
            throw StoreError(.unavailable, "no thread left to write to \(name): \(error)")
        }
    }

    deinit { writer.close() }

    var payloadByteCountLimit: Int { Packet.payloadByteCountLimit - PacketHeader.byteCount }
    var isKernelDevice: Bool { true }

    func read(into buffer: inout [UInt8]) throws(StoreError) -> Int? {
        try writer.read(into: &buffer)
    }

    func write(_ bytes: [UInt8], from offset: Int) throws(StoreError) -> Int {
        precondition(offset == 0, "the device takes whole packets")
        return try writer.take(bytes) ? bytes.count : 0
    }

    func wait(forWriting: Bool, until deadline: Deadline) throws(StoreError) {
        try writer.wait(forWriting: forWriting, until: deadline)
    }

    func wake() { writer.wakeup.signal() }
    func close() { writer.close() }
}
