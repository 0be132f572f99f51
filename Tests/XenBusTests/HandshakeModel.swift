import XenBus
import XenCore

/// Both ends of one device and the store between them, small enough to explore every order of steps.
///
/// One step is one observation or one action of one end, or the death and restart of an end:
/// so an end may die between any two of its writes.
struct HandshakeModel: Hashable {
    /// Which rings the frontend has made, whatever became of it.
    struct Rings: Hashable {
        var serial: Int
        var published: [String: String] { ["ring-ref": "\(serial)"] }
    }

    enum Step: CaseIterable {
        case frontend, backend, frontendRestarts, backendRestarts, frontendFails, backendFails
        case domainIsRestored, frontendHearsOfIt, deviceIsMadeAnew
    }

    var frontend = FrontendMachine()
    var frontendActions: [FrontendMachine.Action] = []
    var frontendState = DeviceState.initialising
    var frontendRings: Rings?
    var ringsMade = 0
    var publishedRings: Rings?
    /// The frontend's domain was restored, and its driver looks where the backend used to be.
    var isAstray = false
    var hasToHear = false

    var backend = BackendMachine()
    var backendActions: [BackendMachine.Action] = []
    var backendState: DeviceState? = .initialising
    /// The backend's directory tells what its device can do.
    var hasFeatures = false
    var servedRings: Rings?

    /// How often an end may still die or its device fail.
    var mishapsLeft: Int

    /// A condition of the drivers' writes that is left out, to see that the exploration notices.
    enum Omission: CaseIterable {
        /// Publish only while the backend is in InitWait.
        case backendIsWaiting
        /// Announce Connected only while the frontend stands where it was.
        case frontendStandsStill
        /// Tell the frontend that its domain was restored.
        case resumptionIsHeard
        /// Tell the backend what its own state is.
        case ownStateIsRead
    }
    var omission: Omission?

    /// What went wrong, if anything did.
    var fault: String?

    /// Both ends are connected, to the same rings.
    var isConnected: Bool {
        frontendState == .connected && backendState == .connected && servedRings != nil
            && servedRings == frontendRings && hasFeatures
    }

    /// The state after a step, or nil if the step changes nothing.
    func after(_ step: Step) -> HandshakeModel? {
        var next = self
        switch step {
        case .frontend: next.stepFrontend()
        case .backend: next.stepBackend()
        case .frontendRestarts: next.restartFrontend()
        case .backendRestarts: next.restartBackend()
        case .frontendFails: next.failFrontend()
        case .backendFails: next.failBackend()
        case .domainIsRestored: next.restoreDomain()
        case .frontendHearsOfIt: next.hearOfRestoring()
        case .deviceIsMadeAnew: next.remakeDevice()
        }
        return next == self ? nil : next
    }

    private mutating func stepFrontend() {
        if frontendActions.isEmpty {
            frontendActions = frontend.handle(.own(frontendState))
            guard frontendActions.isEmpty else { return }
            frontendActions = frontend.handle(
                .backend(isAstray ? nil : backendState, isOnline: true))
            return
        }
        switch frontendActions.removeFirst() {
        case .publish:
            ringsMade += 1
            if ringsMade > 10 { fault = "rings are made over and over" }
            frontendRings = Rings(serial: ringsMade)
            // As the driver does it, in one transaction with the look at the backend's state.
            guard !isAstray, backendState == .initWait || omission == .backendIsWaiting else {
                frontendActions = frontend.handle(.lost)
                return
            }
            publishedRings = frontendRings
            frontendState = .initialised
        case .connect:
            // A backend that has died since serves nothing; one that lives must serve these rings.
            if servedRings != nil && servedRings != frontendRings {
                fault = "connected while the backend serves other rings"
            }
        case .retire: frontendRings = nil
        case .resume: break
        case .relocate:
            isAstray = false
            frontendState = .initialising
        case .setState(let state): frontendState = state
        case .finish: fault = "the frontend finished unasked"
        }
    }

    private mutating func stepBackend() {
        if backendActions.isEmpty {
            if omission != .ownStateIsRead { backendActions = backend.handle(.own(backendState)) }
            guard backendActions.isEmpty else { return }
            backendActions = backend.handle(
                .frontend(frontendState, published: publishedRings?.published ?? [:]))
            return
        }
        switch backendActions.removeFirst() {
        case .connect(_, let published):
            servedRings = publishedRings?.published == published ? publishedRings : nil
        case .announce(let published):
            // As the driver does it, in one transaction with the look at the frontend's nodes.
            let standsStill =
                [.initialised, .connected].contains(frontendState)
                && publishedRings?.published == published
            if standsStill || omission == .frontendStandsStill {
                backendState = .connected
            }
        case .disconnect: servedRings = nil
        case .setState(let state):
            backendState = state
            if state == .initWait { hasFeatures = true }
        case .finish: fault = "the backend finished unasked"
        }
    }

    /// A driver hears of its device's failure between two turns.
    private mutating func failFrontend() {
        guard mishapsLeft > 0, frontendActions.isEmpty else { return }
        mishapsLeft -= 1
        frontendActions = frontend.handle(.lost)
    }

    private mutating func failBackend() {
        guard mishapsLeft > 0, backendActions.isEmpty else { return }
        mishapsLeft -= 1
        backendActions = backend.handle(.failed)
    }

    /// The toolstack makes both directories anew, for another backend. The driver goes on where it was.
    private mutating func restoreDomain() {
        guard mishapsLeft > 0 else { return }
        restartBackend()
        backendState = .initialising
        frontendState = .initialising
        publishedRings = nil
        hasFeatures = false
        isAstray = true
        hasToHear = omission != .resumptionIsHeard
    }

    /// The toolstack takes both directories away and makes them again, before anyone has looked.
    private mutating func remakeDevice() {
        guard mishapsLeft > 0 else { return }
        mishapsLeft -= 1
        backendState = .initialising
        frontendState = .initialising
        publishedRings = nil
        hasFeatures = false
    }

    private mutating func hearOfRestoring() {
        guard hasToHear, frontendActions.isEmpty else { return }
        hasToHear = false
        frontendActions = frontend.handle(.resumed)
    }

    private mutating func restartFrontend() {
        guard mishapsLeft > 0 else { return }
        mishapsLeft -= 1
        isAstray = false
        hasToHear = false
        frontend = FrontendMachine()
        frontendActions = []
        frontendState = .initialising
        frontendRings = nil
    }

    private mutating func restartBackend() {
        guard mishapsLeft > 0 else { return }
        mishapsLeft -= 1
        backend = BackendMachine()
        backendActions = []
        servedRings = nil
    }
}
