#if LibXen
    import CPeerProcess
    import CRing
    import Foundation
    import XenCore
    import XenTesting

    /// What went wrong between the two processes.
    struct PeerFault: Error, CustomStringConvertible {
        let description: String
        init(_ description: String) { self.description = description }
    }

    /// C's end of a ring in a process of its own: its memory, the two doorbells, and how it went.
    @safe
    final class RingPeer: TrafficBell {
        private let base: UnsafeMutableRawPointer
        private let mappedByteCount: Int
        private let descriptors: [Int32]
        private let patience: Int32
        private var process: Int32 = -1
        private(set) var (notificationCount, sleepCount) = (0, 0)

        /// The ring's memory.
        let memory: SharedMemory

        /// What it was told, and what it says of itself.
        @safe var orders: cring_orders {
            // Safe: the last mapped page holds the orders, and is the peer's alone while it runs.
            unsafe (base + (mappedByteCount - Page.byteCount)).load(as: cring_orders.self)
        }

        /// - Parameter prepare: sets the ring's memory up before the other process begins.
        init(
            _ orders: cring_orders, _ prepare: (SharedMemory) -> Void = { _ in }
        ) throws {
            let byteCount = Int(orders.size)
            let pageCount = (byteCount + Page.byteCount - 1) / Page.byteCount
            patience = Int32(orders.patience)
            mappedByteCount = (pageCount + 1) * Page.byteCount
            descriptors = [peer_memory(mappedByteCount), peer_doorbell(), peer_doorbell()]
            guard descriptors.allSatisfy({ $0 >= 0 }) else {
                throw PeerFault("no memory or doorbells: \(descriptors)")
            }
            let base = unsafe mmap(
                nil, mappedByteCount, PROT_READ | PROT_WRITE, MAP_SHARED, descriptors[0], 0)
            guard let base = unsafe base, unsafe base != MAP_FAILED else {
                throw PeerFault("the memory cannot be mapped")
            }
            unsafe self.base = unsafe base
            // Safe: mapped until this object goes, and the tests keep it as long as the ring.
            memory = unsafe SharedMemory(base: base, byteCount: byteCount)
            // Safe: the page after the ring's, which nobody else uses yet.
            unsafe (base + (mappedByteCount - Page.byteCount)).storeBytes(
                of: orders, as: cring_orders.self)
            prepare(memory)
            let path = Bundle.main.executableURL?.resolvingSymlinksInPath() ?? URL(filePath: "/")
            process = unsafe peer_spawn(
                path.deletingLastPathComponent().appending(path: "ring-peer").path, descriptors, 3)
            guard process > 0 else { throw PeerFault("ring-peer does not start: \(process)") }
        }

        deinit {
            if process > 0 { _ = peer_wait(process, 0) }
            for descriptor in descriptors where descriptor >= 0 { close(descriptor) }
            // Safe: the same range as it was mapped.
            unsafe munmap(base, mappedByteCount)
        }

        func notify() {
            notificationCount += 1
            precondition(peer_ring(descriptors[1]) == 0)
        }

        func sleep() throws {
            guard peer_sleep(descriptors[2], patience) == 0 else {
                throw PeerFault("a wake-up was lost, after \(notificationCount) notifications")
            }
            sleepCount += 1
        }

        /// Waits for its end, which has to be a good one.
        func finish() throws {
            let status = peer_wait(process, patience)
            process = -1
            guard status != 0 else { return }
            var orders = self.orders
            let text = unsafe withUnsafeBytes(of: &orders.fault) {
                unsafe String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            throw PeerFault("the peer ended with \(status): \(text)")
        }
    }
#endif
