//! A device for Flaghoist, as small as it may be: it runs each request once, in time, and says what became of it.

use std::io::{self, Write};
use std::{env, fs, sync::mpsc, thread, time::Duration, time::SystemTime, time::UNIX_EPOCH};

use rumqttc::{Client, Event, MqttOptions, Packet, QoS, Transport};
use serde_json::{Value, json};

/// Does the work. Returns how it ended.
fn run(command: &str, payload: &Value) -> Value {
    if command != "reboot" {
        return json!({"status": "REJECTED", "statusReason": {"reasonCode": "UNKNOWN_COMMAND"}});
    }
    println!("rebooting");
    thread::sleep(Duration::from_secs(payload["delay"].as_u64().unwrap_or(0)));
    json!({"status": "SUCCEEDED", "result": {"uptime": 0}})
}

struct Device {
    client: Client,
    thing: String,
    memory: String,
    /// The last report of each of the newest executions. It is on disk before a command runs: a restart must not run it
    /// again.
    known: Vec<Value>,
}

impl Device {
    fn say(&mut self, execution: &str, attempt: &Value, mut report: Value) -> io::Result<()> {
        (report["executionId"], report["attempt"]) = (execution.into(), attempt.clone());
        self.known.retain(|known| known["executionId"] != execution);
        self.known.push(report.clone());
        self.known.drain(..self.known.len().saturating_sub(100));
        let mut file = fs::File::create(format!("{}.new", self.memory))?;
        file.write_all(&serde_json::to_vec(&self.known)?)?;
        file.sync_all()?;
        fs::rename(format!("{}.new", self.memory), &self.memory)?;
        self.publish(&report)
    }

    fn publish(&self, report: &Value) -> io::Result<()> {
        let topic = format!("cmd/{}/resp", self.thing);
        self.client.publish(topic, QoS::AtLeastOnce, false, report.to_string()).map_err(io::Error::other)
    }

    fn handle(&mut self, request: &Value) -> io::Result<()> {
        // A broadcast has a commandId in its place.
        let Some(execution) = request["executionId"].as_str() else { return Ok(()) };
        let attempt = &request["attempt"];
        if let Some(last) = self.known.iter().find(|known| known["executionId"] == execution)
            && (last["status"] == "SUCCEEDED" || attempt.as_u64() <= last["attempt"].as_u64())
        {
            // It came twice: the answer may have been lost.
            return self.publish(last);
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_secs());
        if request["expiresAt"].as_u64().is_none_or(|end| now >= end) {
            return self.say(execution, attempt, json!({"status": "TIMED_OUT"}));
        }
        self.say(execution, attempt, json!({"status": "IN_PROGRESS"}))?;
        let (command, payload) =
            (request["command"].as_str().unwrap_or_default().to_owned(), request["payload"].clone());
        let job = thread::spawn(move || run(&command, &payload));
        let heartbeat = Duration::from_secs(request["heartbeat"].as_u64().unwrap_or(u64::MAX / 2));
        let mut last_beat = SystemTime::now();
        while !job.is_finished() {
            thread::sleep(Duration::from_millis(20));
            if last_beat.elapsed().is_ok_and(|since| since >= heartbeat) {
                last_beat = SystemTime::now();
                self.known.last().map_or(Ok(()), |report| self.publish(report))?;
            }
        }
        let failed = |_| json!({"status": "FAILED", "statusReason": {"reasonCode": "PANICKED"}});
        self.say(execution, attempt, job.join().unwrap_or_else(failed))
    }
}

impl Device {
    fn work(&mut self, work: mpsc::Receiver<Option<Value>>) -> io::Result<()> {
        // What was interrupted has failed. The answers may have been lost: all are repeated.
        for report in self.known.clone() {
            let interrupted = report["status"] == "IN_PROGRESS";
            let failed = json!({"status": "FAILED", "statusReason": {"reasonCode": "DEVICE_RESTARTED"}});
            let id = report["executionId"].as_str().unwrap_or_default();
            if interrupted { self.say(id, &report["attempt"], failed)? } else { self.publish(&report)? }
        }
        for request in work {
            match request {
                Some(request) => self.handle(&request)?,
                None => {
                    let topic = format!("cmd/{}/req", self.thing);
                    self.client.subscribe(topic, QoS::AtLeastOnce).map_err(io::Error::other)?;
                    self.known.iter().try_for_each(|report| self.publish(report))?;
                }
            }
        }
        Ok(())
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let set = |name: &str| env::var(name).map_err(|error| format!("{name}: {error}"));
    let (thing, memory) = (set("THING")?, set("MEMORY")?);
    rustls::crypto::ring::default_provider().install_default().map_err(|_| "there is a provider")?;
    let mut options = MqttOptions::new(&thing, set("ENDPOINT")?, set("PORT")?.parse()?);
    let credentials = (fs::read(set("CERTIFICATE")?)?, fs::read(set("KEY")?)?);
    options.set_transport(Transport::tls(fs::read(set("AUTHORITY")?)?, Some(credentials), None));
    // The session is kept while the device is away: requests wait in it.
    options.set_clean_session(false).set_keep_alive(Duration::from_secs(60));
    let (client, mut connection) = Client::new(options, 100);
    let known = fs::read(&memory).ok().map_or_else(|| Ok(Vec::new()), |text| serde_json::from_slice(&text))?;
    let mut device = Device { client, thing, memory, known };

    // Commands run beside the connection, which goes on meanwhile. None: it is connected, without its session.
    let (sender, work) = mpsc::channel::<Option<Value>>();
    thread::spawn(move || {
        let ended = device.work(work);
        eprintln!("{ended:?}");
        std::process::exit(1);
    });
    for event in connection.iter() {
        match event {
            Ok(Event::Incoming(Packet::ConnAck(connected))) if !connected.session_present => sender.send(None)?,
            Ok(Event::Incoming(Packet::Publish(message))) => {
                if let Ok(request) = serde_json::from_slice(&message.payload) {
                    sender.send(Some(request))?;
                }
            }
            Ok(_) => {}
            Err(error) => {
                eprintln!("{error}");
                thread::sleep(Duration::from_secs(1));
            }
        }
    }
    Ok(())
}
