//! Clients: who is connected, what they look at, and what they are being asked.

pub(crate) mod borders;
pub(crate) mod caps;
pub(crate) mod connection;
pub(crate) mod flags;
#[cfg(any(test, feature = "test-hooks"))]
pub(crate) mod fuzzing;
pub(crate) mod identity;
pub(crate) mod input;
pub(crate) mod keys;
mod pacing;
pub(crate) mod prompt;
pub(crate) mod resume;
pub(crate) mod status_line;
pub(crate) mod style;
pub(crate) mod view;
pub(crate) mod visible;

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use crate::command::JobId;
use crate::event_loop::ClientId;
use crate::pane::Bracketed;
use crate::persistence::Seq;
use ccmux_core::command::CommandList;
use ccmux_core::geometry::Size;
use ccmux_core::ids::{PaneId, SessionId, WindowId};
use ccmux_core::model::Timestamp;
use ccmux_protocol::{Exit, Hello, ServerFrame, TerminalSize};
use ccmux_term::compose::{Frame, OutputCaps, Painter, enter, leave};
use connection::Connection;
use flags::ClientFlags;
use identity::Identity;
use input::InputDecoder;
use keys::KeyState;
use pacing::Pacing;
use prompt::{Prompt, PromptHistory, PromptKind, PromptType};
use resume::{Copying, OpenedPrompt, ResumeToken};
use visible::{Corner, Pan};

/// One connected peer.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) id: ClientId,
    pub(crate) connection: Connection,
    /// Whether the loop is told when the connection takes more.
    pub(crate) is_watched_for_room: bool,
    pub(crate) hello: Option<Box<Hello>>,
    pub(crate) stage: ClientStage,
    pub(crate) connected: Timestamp,
    /// When it last typed.
    pub(crate) active: Timestamp,
    /// What it is told once the record that it may speak of is settled, in order.
    held: VecDeque<(Seq, ServerFrame)>,
}

/// What is known of a record that somebody wants to be told of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum RecordStanding {
    /// It may be on the disk soon.
    Pending,
    /// It is on the disk.
    Durable,
    /// It will not be for now, which is told to everybody.
    Lost,
}

/// Bytes of programs' sequences that wait for a terminal.
const PASSED_THROUGH_MAX: usize = 1024 * 1024;

/// How far the conversation is.
#[derive(Debug)]
pub(crate) enum ClientStage {
    /// Nothing was said, or only the greeting.
    Greeting,
    /// Its command line runs.
    Commanding,
    /// It looks at a session.
    Attached(Box<Attachment>),
    /// It was told to end; what is queued still goes out.
    Leaving,
}

/// A terminal that looks at a session.
#[derive(Debug)]
pub(crate) struct Attachment {
    pub(crate) session: SessionId,
    /// The session it looked at before, for `switch-client -l`.
    pub(crate) last_session: Option<SessionId>,
    pub(crate) size: Size,
    /// The part of a window that was chosen by hand.
    pub(crate) pan: Option<Pan>,
    /// The part that is shown of a window that is larger than the terminal.
    pub(crate) corner: Option<Corner>,
    pub(crate) flags: ClientFlags,
    /// The panes that are active for it alone, as long as its flags say that it has such.
    pub(crate) own_panes: BTreeMap<WindowId, PaneId>,
    /// Whether its terminal said last that it has the focus.
    pub(crate) is_focused: bool,
    pub(crate) caps: OutputCaps,
    /// Width and height of its terminal's cells in pixels, as the pty says.
    cell_px: Option<(u16, u16)>,
    /// What its terminal said of itself.
    pub(crate) identity: Identity,
    /// Its terminal was asked, or need not be.
    is_asked: bool,
    pub(crate) frame: Frame,
    pub(crate) painter: Painter,
    pub(crate) decoder: InputDecoder,
    /// When a held-back Escape becomes a key.
    pub(crate) escape_at: Option<Duration>,
    pub(crate) keys: KeyState,
    pub(crate) message: Option<Message>,
    pub(crate) prompt: Option<OpenPrompt>,
    pub(crate) prompt_histories: BTreeMap<PromptType, PromptHistory>,
    pub(crate) is_dirty: bool,
    pub(crate) pacing: Pacing,
    /// The panes that a paste under way goes to: those that were active when it began.
    pub(crate) paste_to: Vec<PasteTarget>,
    token: Vec<u8>,
    /// Its terminal was asked for its clipboard: until when an answer counts, and the panes that want
    /// it; if none does it becomes a paste buffer.
    pub(crate) clipboard: Option<(Duration, Vec<PaneId>)>,
    /// What goes to the terminal before the next picture.
    before_picture: Vec<u8>,
    /// Sequences of programs that go to the terminal after the next picture.
    passed_through: Vec<u8>,
    /// Its terminal has been prepared, by this server or one before it.
    pub(crate) is_entered: bool,
}

/// A pane that a paste goes to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct PasteTarget {
    pub(crate) pane: PaneId,
    pub(crate) bracketed: Bracketed,
    /// Some of the paste did not fit; nothing of it must follow.
    pub(crate) is_full: bool,
}

/// A text at the bottom until it is old or a key is pressed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Message {
    pub(crate) text: String,
    /// When it goes; `None` until a key.
    pub(crate) until: Option<Duration>,
    /// Whether keys are for nobody while it is shown (`display-message -N`).
    pub(crate) ignores_keys: bool,
}

/// A prompt, and what its answer is for.
#[derive(Clone, Debug)]
pub(crate) struct OpenPrompt {
    pub(crate) prompt: Prompt,
    pub(crate) prompt_type: PromptType,
    pub(crate) purpose: Purpose,
    /// The job that waits for the answer, if one does.
    pub(crate) job: Option<JobId>,
}

/// What an answer is for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Purpose {
    /// `confirm-before`: run this.
    Confirm {
        /// Commands.
        command: String,
    },
    /// `command-prompt`: put the answers into this and run it.
    Template {
        /// What the answers are put into.
        template: Template,
        /// Answers so far.
        answers: Vec<String>,
        /// Questions still to ask, with what their answer begins with.
        questions: Vec<(String, String)>,
        /// What kind of answers is wanted.
        kind: PromptKind,
    },
}

/// What the answers of a prompt are put into.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Template {
    /// Text, which is read as commands once it is filled.
    Text(String),
    /// Commands, in whose arguments the answers stay.
    Commands(CommandList),
}

impl Client {
    /// A peer that has just connected.
    pub(crate) fn new(id: ClientId, connection: Connection, now: Timestamp) -> Self {
        let stage = ClientStage::Greeting;
        Self {
            id,
            connection,
            is_watched_for_room: false,
            hello: None,
            stage,
            connected: now,
            active: now,
            held: VecDeque::new(),
        }
    }

    /// Its name: that of its terminal, or its process.
    pub(crate) fn name(&self) -> String {
        let hello = self.hello.as_deref();
        match hello.and_then(|hello| hello.tty.as_ref()) {
            Some(tty) => tty.to_string(),
            None => format!("client-{}", hello.map_or(0, |hello| hello.pid)),
        }
    }

    /// Whether it has been told to end and has taken that.
    pub(crate) fn is_done(&self) -> bool {
        matches!(self.stage, ClientStage::Leaving) && self.has_heard_all()
    }

    /// Whether there is nobody to serve any more. Who was told the last word is hung up on.
    pub(crate) fn is_gone(&self) -> bool {
        self.connection.is_closed() || self.is_done()
    }

    /// Whether nothing that it was to be told is still here.
    pub(crate) fn has_heard_all(&self) -> bool {
        self.held.is_empty() && self.connection.is_flushed()
    }

    /// How much of what it was to be told is still here.
    pub(crate) fn unread_bytes(&self) -> usize {
        self.held_bytes() + self.connection.unread_bytes()
    }

    /// How much output waits for records to be settled.
    pub(crate) fn held_bytes(&self) -> usize {
        let frames = self.held.iter().map(|(_, frame)| match frame {
            ServerFrame::Stdout(bytes) | ServerFrame::Stderr(bytes) => bytes.len(),
            _ => 0,
        });
        frames.sum()
    }

    /// Whether something waits for a record.
    pub(crate) fn has_held(&self) -> bool {
        !self.held.is_empty()
    }

    /// Tells it something that speaks of the state after record `seq`: see [`Client::release`].
    pub(crate) fn hold(&mut self, seq: Seq, frame: ServerFrame) {
        self.held.push_back((seq, frame));
    }

    /// Tells it something after what it is told anyway.
    pub(crate) fn say(&mut self, frame: ServerFrame) {
        match self.held.back() {
            Some((seq, _)) => self.held.push_back((*seq, frame)),
            None => self.connection.send(&frame),
        }
    }

    /// Lets go what speaks of nothing beyond the records that are settled; whether all of them are
    /// durable too is what its exit says.
    pub(crate) fn release(&mut self, standing: impl Fn(Seq) -> RecordStanding) {
        while let Some((seq, _)) = self.held.front() {
            let is_durable = match standing(*seq) {
                RecordStanding::Pending => return,
                RecordStanding::Lost => false,
                RecordStanding::Durable => true,
            };
            let Some((_, mut frame)) = self.held.pop_front() else { return };
            if let ServerFrame::Exit(exit) = &mut frame {
                exit.durable = is_durable;
            }
            self.connection.send(&frame);
        }
    }

    /// What it looks at.
    pub(crate) fn attachment(&self) -> Option<&Attachment> {
        match &self.stage {
            ClientStage::Attached(attachment) => Some(attachment),
            _ => None,
        }
    }

    /// What it looks at, to change it.
    pub(crate) fn attachment_mut(&mut self) -> Option<&mut Attachment> {
        match &mut self.stage {
            ClientStage::Attached(attachment) => Some(attachment),
            _ => None,
        }
    }

    /// Makes it look at a session, as a terminal of this size.
    ///
    /// It is told so once record `seq` is settled, and gets its first picture then. `caps` tells what
    /// it understands.
    pub(crate) fn attach(
        &mut self,
        session: SessionId,
        flags: ClientFlags,
        seq: Seq,
        caps: impl FnOnce(&Hello) -> OutputCaps,
    ) {
        let Some(hello) = self.hello.as_deref() else { return };
        let caps = caps(hello);
        let size = hello.size.unwrap_or(Size::DEFAULT);
        let mut attachment = Attachment::new(session, flags, size, caps);
        attachment.set_cell_px(hello.cell_px);
        self.stage = ClientStage::Attached(Box::new(attachment));
        self.hold(seq, ServerFrame::Leave(leave(caps)));
        self.hold(seq, ServerFrame::Attached);
    }

    /// Its terminal was given back meanwhile: it is entered anew, with a whole picture. What was
    /// sent before this answer is not drawn.
    pub(crate) fn wake_up(&mut self, size: TerminalSize) {
        let Some(attachment) = self.attachment_mut() else { return };
        attachment.resize_terminal(size);
        attachment.is_entered = false;
        // Whoever had the terminal may have read the answers.
        attachment.is_asked &= !attachment.decoder.awaits_answers();
        // Entering does all of it.
        attachment.before_picture.clear();
        self.say(ServerFrame::Attached);
    }

    /// Asks for a new picture.
    pub(crate) fn redraw(&mut self) {
        if let Some(attachment) = self.attachment_mut() {
            attachment.is_dirty = true;
        }
    }

    /// Tells the client to end, its terminal restored, once record `seq` is settled.
    pub(crate) fn exit(&mut self, seq: Seq, exit: Exit) {
        self.stage = ClientStage::Leaving;
        self.hold(seq, ServerFrame::Exit(exit));
    }

    /// Shows a text at the bottom.
    pub(crate) fn show_message(&mut self, message: Message) {
        if let Some(attachment) = self.attachment_mut() {
            attachment.message = Some(message);
            attachment.is_dirty = true;
        }
    }

    /// Sends the picture that was composed into the attachment's frame.
    pub(crate) fn paint(&mut self, now: Duration) {
        let ClientStage::Attached(attachment) = &mut self.stage else { return };
        let mut bytes = Vec::new();
        let mut is_asking = !attachment.passed_through.is_empty();
        if !attachment.is_entered {
            attachment.is_entered = true;
            bytes = enter(attachment.caps);
        }
        bytes.append(&mut attachment.before_picture);
        attachment.painter.paint(&attachment.frame, &mut bytes);
        if !attachment.passed_through.is_empty() {
            bytes.append(&mut attachment.passed_through);
            attachment.painter.recover(&mut bytes);
            attachment.painter.paint(&attachment.frame, &mut bytes);
        }
        let questions = attachment.questions();
        is_asking |= !questions.is_empty();
        bytes.extend_from_slice(questions);
        attachment.is_dirty = attachment.painter.has_more();
        attachment.pacing.painted(now);
        if is_asking {
            self.connection.send(&ServerFrame::Asks);
        }
        if !bytes.is_empty() {
            self.connection.send(&ServerFrame::Output(bytes));
        }
    }

    /// Gives the client the token for the case that this server vanishes, if it changed.
    pub(crate) fn renew_token(&mut self, copying: Vec<Copying>) {
        let ClientStage::Attached(attachment) = &mut self.stage else { return };
        let prompt = attachment.prompt.as_ref().and_then(OpenedPrompt::of);
        let (session, flags) = (attachment.session.0, attachment.flags);
        let terminal = attachment.identity.clone();
        let token = ResumeToken { session, flags, copying, prompt, terminal };
        let bytes = serde_json::to_vec(&token).expect("a token has nothing JSON cannot hold");
        if bytes != attachment.token {
            attachment.token.clone_from(&bytes);
            self.say(ServerFrame::Token(bytes));
        }
    }
}

impl Attachment {
    fn new(session: SessionId, flags: ClientFlags, size: Size, caps: OutputCaps) -> Self {
        let term_size = term_size(size);
        Self {
            session,
            last_session: None,
            size,
            pan: None,
            corner: None,
            flags,
            own_panes: BTreeMap::new(),
            is_focused: true,
            caps,
            cell_px: None,
            identity: Identity::default(),
            is_asked: true,
            frame: Frame::new(term_size),
            painter: Painter::new(caps, term_size),
            decoder: InputDecoder::default(),
            escape_at: None,
            keys: KeyState::default(),
            message: None,
            prompt: None,
            prompt_histories: BTreeMap::new(),
            is_dirty: true,
            pacing: Pacing::default(),
            paste_to: Vec::new(),
            token: Vec::new(),
            clipboard: None,
            before_picture: Vec::new(),
            passed_through: Vec::new(),
            is_entered: false,
        }
    }

    /// Takes a sequence for the terminal itself. One for which there is no room is dropped.
    pub(crate) fn pass_through(&mut self, sequence: &[u8]) {
        if self.passed_through.len() + sequence.len() <= PASSED_THROUGH_MAX {
            self.passed_through.extend_from_slice(sequence);
            self.is_dirty = true;
        }
    }

    /// The terminal has another size or font, or lost what it showed.
    pub(crate) fn resize_terminal(&mut self, TerminalSize { cells, cell_px }: TerminalSize) {
        self.resize(cells);
        self.set_cell_px(cell_px);
    }

    fn resize(&mut self, size: Size) {
        self.size = size;
        self.frame = Frame::new(term_size(size));
        self.painter.resize(term_size(size));
        self.is_dirty = true;
    }

    /// When something happens here without anybody doing anything: a picture is due, an Escape
    /// becomes a key, a message goes, a repeat ends.
    pub(crate) fn deadline(&self, now: Duration, is_flushed: bool) -> Option<Duration> {
        [
            (self.is_dirty && is_flushed).then(|| self.pacing.next_at(now)),
            self.escape_at,
            self.message.as_ref().and_then(|message| message.until),
            self.keys.deadline(),
        ]
        .into_iter()
        .flatten()
        .min()
    }
}

/// A size as the emulator and the painter take it.
pub(crate) fn term_size(size: Size) -> ccmux_term::Size {
    ccmux_term::Size { cols: size.cols, rows: size.rows }
}
