#if LibXen
    import CRing
    import XenCore
    import XenRing

    /// A front, ours or C's, as the conformance tests drive it. Messages are bytes.
    protocol FrontEnd: AnyObject {
        func push(_ number: UInt64)
        func publish() -> Bool
        func next() throws -> [UInt8]?
    }

    /// A back, ours or C's.
    protocol BackEnd: AnyObject {
        func push(_ number: UInt64)
        func publish() -> Bool
        func next() throws -> [UInt8]?
    }

    func bytes<Message: RingMessage>(of message: Message) -> [UInt8] {
        unsafe withUnsafeBytes(of: message) { unsafe [UInt8]($0) }
    }

    final class SwiftFront<Request: NumberedMessage, Response: NumberedMessage>: FrontEnd {
        private var ring: FrontRing<Request, Response>

        init(_ memory: TestMemory, at index: RingIndex) {
            ring = FrontRing(initializing: memory.view, at: index)
        }

        var capacity: Int { ring.capacity }
        func push(_ number: UInt64) { precondition(ring.push(Request(number))) }
        func publish() -> Bool { ring.publish() == .required }
        func next() throws -> [UInt8]? { try ring.next().map(bytes) }
    }

    final class SwiftBack<Request: NumberedMessage, Response: NumberedMessage>: BackEnd {
        private var ring: BackRing<Request, Response>

        init(_ memory: TestMemory, at index: RingIndex) {
            ring = BackRing(attachingTo: memory.view, at: index)
        }

        func push(_ number: UInt64) { ring.push(Response(number)) }
        func publish() -> Bool { ring.publish() == .required }
        func next() throws -> [UInt8]? { try ring.next().map(bytes) }
    }

    /// C's front. Messages are made by the same Swift types, so that their bytes are the same.
    @safe
    final class CFront<Request: NumberedMessage, Response: NumberedMessage>: FrontEnd {
        private let kind: UnsafePointer<cring_kind>
        private var end = unsafe cring_end()

        init(_ kind: UnsafePointer<cring_kind>, _ memory: TestMemory, at index: RingIndex) {
            unsafe self.kind = unsafe kind
            unsafe kind.pointee.front_init(
                &end, memory.view.baseAddress, memory.view.byteCount, index.rawValue)
        }

        var capacity: Int { unsafe Int(end.slot_count) }

        func push(_ number: UInt64) {
            let message = bytes(of: Request(number))
            unsafe kind.pointee.front_push(&end, message)
        }

        func publish() -> Bool { unsafe kind.pointee.front_publish(&end) == 1 }

        func next() -> [UInt8]? {
            var message = [UInt8](repeating: 0, count: Response.byteCount)
            return unsafe kind.pointee.front_next(&end, &message) == 1 ? message : nil
        }
    }

    @safe
    final class CBack<Request: NumberedMessage, Response: NumberedMessage>: BackEnd {
        private let kind: UnsafePointer<cring_kind>
        private var end = unsafe cring_end()

        init(_ kind: UnsafePointer<cring_kind>, _ memory: TestMemory, at index: RingIndex) {
            unsafe self.kind = unsafe kind
            unsafe kind.pointee.back_attach(
                &end, memory.view.baseAddress, memory.view.byteCount, index.rawValue)
        }

        func push(_ number: UInt64) {
            let message = bytes(of: Response(number))
            unsafe kind.pointee.back_push(&end, message)
        }

        func publish() -> Bool { unsafe kind.pointee.back_publish(&end) == 1 }

        func next() -> [UInt8]? {
            var message = [UInt8](repeating: 0, count: Request.byteCount)
            return unsafe kind.pointee.back_next(&end, &message) == 1 ? message : nil
        }
    }
#endif
