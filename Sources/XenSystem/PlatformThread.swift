import XenCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A thread that may block, which a task of the cooperative pool may not. Joined by its owner.
package struct PlatformThread: ~Copyable, Sendable {
    private let handle: pthread_t

    /// Starts a thread that runs `body` once.
    package init(_ body: @escaping @Sendable () -> Void) throws(SystemFailure) {
        let box = unsafe Unmanaged.passRetained(Body(body))
        var handle = pthread_t()
        // Safe: the box is retained here and released once, by the thread or below.
        let status = unsafe pthread_create(
            &handle, nil,
            { argument in
                if let argument = unsafe argument {
                    unsafe Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run()
                }
                return nil
            }, box.toOpaque())
        guard status == 0 else {
            unsafe box.release()
            throw SystemFailure("pthread_create", .init(rawValue: status))
        }
        self.handle = handle
    }

    /// Blocks until the thread has ended.
    package consuming func join() {
        _ = pthread_join(handle, nil)
        discard self
    }

    deinit { _ = pthread_detach(handle) }

    private final class Body: Sendable {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }
}
