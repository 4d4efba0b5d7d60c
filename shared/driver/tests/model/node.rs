//! A handler in flight: an event, and the answers that its calls were given. What it does next follows from these
//! alone, so it is computed once, by running the driver from the start.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
    pin::pin,
    sync::{Arc, Mutex, MutexGuard},
    task::{Context, Poll, Waker},
};

use calls::Kind;

use super::{
    call::{Answer, Call},
    event::Event,
    replay::{Entry, Luck, Replay, Setting},
};

/// A handler that has been given some answers.
#[derive(Debug)]
pub struct Node {
    pub event: Event,
    /// The handler before its last answer, and that answer.
    before: Option<(Arc<Node>, Answer)>,
    /// What clock and generator said after that answer.
    drawn: Vec<u64>,
    /// The nonces that it has drawn, one bit each.
    pub nonces: u64,
    pub next: Next,
    hash: u64,
}

/// What a handler does next.
#[derive(Clone, Debug)]
pub enum Next {
    Asks(Call),
    Ends(Result<(), Kind>),
}

impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        self.hash == other.hash
    }
}

impl Eq for Node {}

impl Hash for Node {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

impl Node {
    /// Runs the driver to the first call that has no answer.
    fn run(setting: &Setting, event: Event, before: Option<(Arc<Self>, Answer)>, luck: Luck) -> Self {
        let tape = before.as_ref().map_or_else(Vec::new, |(node, answer)| {
            let mut tape = node.tape();
            tape.push(Entry::Answer(node.asks(), answer));
            tape
        });
        let replay = Replay::new(setting, &tape, luck);
        let polled = pin!(event.handle(&setting.commands, &replay)).poll(&mut Context::from_waker(Waker::noop()));
        let next = match polled {
            Poll::Ready(ended) => Next::Ends(ended.map_err(|error| error.kind())),
            Poll::Pending => Next::Asks(replay.asked.take().expect("only a call waits")),
        };
        let drawn = replay.drawn.take();
        drop(tape);
        let mut hasher = DefaultHasher::new();
        let clock_stands = luck.seconds_since_event.is_none();
        (&event, clock_stands, before.as_ref().map(|(node, answer)| (node.hash, answer)), &drawn).hash(&mut hasher);
        let mut nonces = before.as_ref().map_or(0, |(node, _)| node.nonces);
        // With a clock that stands, only the generator is asked.
        if clock_stands {
            nonces |= drawn.iter().fold(0, |all, nonce| all | 1 << nonce);
        } else if drawn.contains(&u64::from(luck.nonce)) {
            nonces |= 1 << luck.nonce;
        }
        Self { event, before, drawn, nonces, next, hash: hasher.finish() }
    }

    /// All answers up to here, from the first one on.
    fn tape(&self) -> Vec<Entry<'_>> {
        let mut tape = self.before.as_ref().map_or_else(Vec::new, |(node, answer)| {
            let mut tape = node.tape();
            tape.push(Entry::Answer(node.asks(), answer));
            tape
        });
        tape.extend(self.drawn.iter().map(|drawn| Entry::Luck(*drawn)));
        tape
    }

    /// The call that it waits for.
    pub fn asks(&self) -> &Call {
        match &self.next {
            Next::Asks(call) => call,
            Next::Ends(_) => panic!("a handler that has ended asks nothing"),
        }
    }

    /// All answers, from the last to the first, with their calls.
    pub fn answers(&self) -> impl Iterator<Item = (&Call, &Answer)> {
        std::iter::successors(self.before.as_ref(), |(node, _)| node.before.as_ref())
            .map(|(node, answer)| (node.asks(), answer))
    }

    pub fn order(&self) -> u64 {
        self.hash
    }
}

/// Every handler that was ever in flight in a check, so that each is run once.
#[derive(Clone, Debug, Default)]
pub struct Tree(Arc<[Mutex<Nodes>; 16]>);

/// The handlers by the hash of what they were given.
type Nodes = HashMap<u64, Arc<Node>>;

impl Tree {
    /// The handler of an event, before its first answer.
    pub fn root(&self, setting: &Setting, event: &Event, luck: Luck) -> Arc<Node> {
        self.node(hash_of(&(event, luck.seconds_since_event.is_some())), luck, || {
            Node::run(setting, event.clone(), None, luck)
        })
    }

    /// The handler after one more answer.
    pub fn child(&self, setting: &Setting, node: &Arc<Node>, answer: &Answer, luck: Luck) -> Arc<Node> {
        self.node(hash_of(&(node.hash, answer)), luck, || {
            Node::run(setting, node.event.clone(), Some((node.clone(), answer.clone())), luck)
        })
    }

    /// The number of handlers.
    pub fn len(&self) -> usize {
        self.0.iter().map(|shard| shard.lock().unwrap().len()).sum()
    }

    fn node(&self, key: u64, luck: Luck, run: impl FnOnce() -> Node) -> Arc<Node> {
        let with_luck = hash_of(&(key, luck));
        if let Some(node) = self.get(key).or_else(|| self.get(with_luck)) {
            return node;
        }
        let node = Arc::new(run());
        // Most handlers ask neither clock nor generator between two calls.
        let key = if node.drawn.is_empty() { key } else { with_luck };
        self.shard(key).entry(key).or_insert(node).clone()
    }

    fn get(&self, key: u64) -> Option<Arc<Node>> {
        self.shard(key).get(&key).cloned()
    }

    fn shard(&self, key: u64) -> MutexGuard<'_, Nodes> {
        self.0[usize::try_from(key % 16).unwrap_or_default()].lock().unwrap()
    }
}

fn hash_of(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}
