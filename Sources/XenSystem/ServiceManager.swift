import CSystem

/// The program that started this one as a service, such as systemd, which may want to know how it gets on.
package enum ServiceManager {
    /// A state of this service, as sd_notify(3) names it.
    package enum State: String, Sendable {
        case ready = "READY=1"
        case stopping = "STOPPING=1"
    }

    /// Tells the service manager. Nothing happens when there is none.
    package static func notify(_ state: State) {
        guard let path = environment("NOTIFY_SOCKET") else { return }
        // Safe: both strings are used at once.
        _ = unsafe csystem_notify_service(path, state.rawValue)
    }
}
