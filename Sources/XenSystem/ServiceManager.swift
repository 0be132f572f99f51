import CSystem

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The program that started this one as a service, such as systemd, which may want to know how it gets on.
package enum ServiceManager {
    /// A state of this service, as sd_notify(3) names it.
    package enum State: String, Sendable {
        case ready = "READY=1"
        case stopping = "STOPPING=1"
    }

    /// Tells the service manager. Nothing happens when there is none.
    package static func notify(_ state: State) {
        // Safe: the C string is used at once, and nothing here changes the environment.
        guard let path = unsafe getenv("NOTIFY_SOCKET") else { return }
        _ = unsafe csystem_notify_service(path, state.rawValue)
    }
}
