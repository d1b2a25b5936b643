//! How a search goes: with which mistake, and what it may leave out.

/// What a search is to find, and how thoroughly it looks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Rules {
    /// The mistake that is built in.
    pub(super) mistake: Option<Mistake>,
    /// Whether orders are left out that make no difference:
    ///
    /// * A step that nobody else can see the effect of, or the lack of, is taken at once.
    /// * The program prints, and the disk changes its mind, right before somebody looks.
    /// * States that differ only in what nobody looks at are one.
    /// * What can happen with some kills left can happen with more left.
    pub(super) is_reduced: bool,
}

impl Rules {
    /// As it is, without orders that make no difference.
    pub(super) const SOUND: Self = Self { mistake: None, is_reduced: true };

    pub(super) fn with(mistake: Mistake) -> Self {
        Self { mistake: Some(mistake), ..Self::SOUND }
    }

    pub(super) fn has(self, mistake: Mistake) -> bool {
        self.mistake == Some(mistake)
    }
}

/// A mistake that the search must find.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Mistake {
    /// The keeper publishes what it is about to read.
    PublishBeforeReading,
    /// The keeper does not lay the pattern that shows how far a read came.
    NoPattern,
    /// The keeper waits for room without looking again after it has said so.
    KeeperSleepsBlindly,
    /// The keeper takes the program for ended a byte too early.
    DrainedTooEarly,
    /// The keeper waits with a bell unpaid.
    BellForgotten,
    /// The server gives free what it has not spooled yet.
    FreeBeforeSpooling,
    /// The server waits for output without looking again after it has said so.
    ServerSleepsBlindly,
    /// The server answers and then says that it has.
    AnswerBeforeMarking,
    /// A server that comes answers what it replays.
    AnswerReplayed,
    /// A server that comes answers once more what was in the ring when another had answered it.
    AnsweredAgain,
    /// The server looks for the end after it has looked for bytes.
    EndAfterHead,
    /// The server does not wake a keeper that waits for room.
    RoomKeptSecret,
    /// The server gives free what the disk refused and no stash holds.
    FreeWithoutStash,
    /// The server gives free what is in a stash that only it holds.
    FreeBeforeHanding,
    /// A keyframe in the stash is written over by the next one.
    StashedInPlace,
    /// A keeper that takes another's place gets the stash only when it is ready.
    StashAfterReady,
    /// A keeper listens to a new server before the last words of the old one.
    LastWordsUnheard,
    /// A server that comes does not look at the stash.
    StashIgnored,
    /// A server that comes takes a stash that is older than what the disk has.
    OldStashTaken,
    /// A pane whose output the disk takes again goes to the spool without a keyframe first.
    SpooledWithoutKeyframe,
    /// The stash is given up when the keyframe is on its way to the disk.
    StashForgottenEarly,
    /// A pane comes home with a keyframe that something was printed after.
    HomeWithOldKeyframe,
    /// What the keyframe has that brought a pane home stays in the ring.
    HomeKeepsRing,
}
