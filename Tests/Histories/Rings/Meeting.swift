import XenCore

/// What the store would be to a device: where a front and a back find each other.
final class Meeting {
    /// A front's ring and port.
    struct Offer: Equatable {
        let life: Int
        let domain: DomainID
        let epoch: Epoch
        let ring: GrantReference
        let port: EventPort
    }

    /// Which life of each end is the current one. What an older one says is not heard.
    private(set) var (frontLife, backLife) = (0, 0)
    private(set) var offer: Offer?
    /// The offer to which the current back is connected.
    private(set) var accepted: Offer?
    /// The offer that the current back could not use.
    private(set) var refused: Offer?
    /// Both ends are to let go of all that they have.
    private(set) var isClosing = false
    /// Counts the changes, so that a party sees whether it has anything to read.
    private(set) var version = 0

    func beginFront() -> Int {
        version += 1
        frontLife += 1
        offer = nil
        (accepted, refused) = (nil, nil)
        return frontLife
    }

    /// The front has to offer a new ring: an earlier back may have been in mid-answer in this one.
    func beginBack() -> Int {
        version += 1
        backLife += 1
        offer = nil
        (accepted, refused) = (nil, nil)
        return backLife
    }

    func publish(_ new: Offer) {
        guard new.life == frontLife else { return }
        version += 1
        offer = new
        (accepted, refused) = (nil, nil)
    }

    /// The back with this life is connected. Only the current back, and to the current offer.
    func accept(_ connected: Offer, by life: Int) {
        guard life == backLife, connected == offer else { return }
        version += 1
        accepted = connected
    }

    func refuse(_ bad: Offer, by life: Int) {
        guard life == backLife, bad == offer else { return }
        version += 1
        accepted = nil
        refused = bad
    }

    func close() {
        version += 1
        isClosing = true
    }
}
