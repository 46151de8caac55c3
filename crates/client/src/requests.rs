//! The requests of a viewer, the same on a whole connection as on its sending half.

/// Methods for every request, on a type that has `send`.
macro_rules! requests {
    () => {
        /// Asks for units; answered by `held`, `order` or `refused` with the same key.
        ///
        /// Store the key before: sending it again with the same request never takes a second unit.
        pub async fn buy(
            &mut self,
            drop: stampede_domain::DropId,
            sku: &str,
            units: u32,
            key: &stampede_domain::IdempotencyKey,
        ) -> Result<(), ClientError> {
            let (sku, units) = (sku.into(), units.into());
            self.send(&ClientMessage::Buy { drop, sku, units, key: key.clone() }).await
        }

        /// Gives a hold back; answered by `released` or `refused`.
        pub async fn release(&mut self, hold: stampede_domain::HoldId) -> Result<(), ClientError> {
            self.send(&ClientMessage::Release { hold }).await
        }

        /// Starts the sandbox payment; answered by `order`, `payment_failed` or `refused`.
        pub async fn pay(&mut self, hold: stampede_domain::HoldId) -> Result<(), ClientError> {
            self.send(&ClientMessage::Pay { hold, card: None }).await
        }

        /// Starts the sandbox payment with a card that says what shall come of it, for trying.
        pub async fn pay_with(
            &mut self,
            hold: stampede_domain::HoldId,
            card: stampede_domain::TestCard,
        ) -> Result<(), ClientError> {
            self.send(&ClientMessage::Pay { hold, card: Some(card) }).await
        }

        /// Presents a new ticket; answered by `refreshed`.
        pub async fn refresh(&mut self, ticket: &str) -> Result<(), ClientError> {
            self.send(&ClientMessage::Refresh { ticket: ticket.into() }).await
        }
    };
}

pub(crate) use requests;
